"""What `make demo` does in a copy of the project, and what its page of results must show."""

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

from project import ROOT, Project, surroundings
from reports import Tables

CONTROL = 30  # percent: of 2,000 profiles, a control group of 5 would be too small for a comparison


@dataclass
class Demo:
    """The demo of a project, with a larger control group."""

    project: Project

    def make(self) -> str:
        """Run `make demo` of the real Makefile, with the environment that is installed. What it prints."""
        command = ["make", "--file", str(ROOT / "Makefile"), f"VENV={sys.prefix}", f"--old-file={sys.prefix}/run.ok", "demo"]
        environment = {**surroundings(), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=self.project.path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def hashes(self) -> dict[Path, str]:
        """The files that were delivered, made up and written as pages."""
        files = [path for folder in ("outbox", "site") for path in (self.project.path / folder).rglob("*") if path.is_file()]
        return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def check(self) -> None:
        """Make the demo twice, and compare its page with the models, and the models with the files."""
        folder = "models/campaigns/spring_catalog/spring_catalog__recipients.sql"
        self.project.edit(folder, "holdout(percent=5)", f"holdout(percent={CONTROL})")
        assert "Nobody has ordered anything." in self.make()
        written = self.hashes()
        assert "no new files" in self.make()
        assert self.hashes() == written, "a second call changes nothing"
        with duckdb.connect(self.project.path / ".dmail/warehouse.duckdb", read_only=True) as connection:
            connection.execute(f"set file_search_path = '{self.project.path}'")
            self.check_models(connection)
            self.check_page(connection)
        assert any(line.startswith("mailed 20") for line in self.project.call("status").stdout.splitlines())

    def check_models(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Compare the results with what the contact history and the made-up files say."""
        truth = connection.execute(
            """
            with
                history as (from '.dmail/contact_history/*/contacts.parquet'),
                orders as (from read_csv('outbox/answers/made_up_orders_*.csv', all_varchar = true)),
                units as (
                    select coalesce(household_key, profile_id) as unit, cell, profile_id in (select profile_id from orders) as responds
                    from history
                )
            select cell, count(distinct unit), count(distinct unit) filter (responds) from units group by cell order by cell
            """
        ).fetchall()
        found = connection.execute("select cell, units, responders from rpt_results order by cell").fetchall()
        assert found == truth
        assert [cell for cell, *_ in found] == ["holdout", "mailed"]
        (row,) = connection.execute(
            """
            select verdict, lift - (response_rate - control_rate), cost - 0.63 * pieces between 0 and 5, first_in_home_at::date = mailed_on
            from
                (from rpt_results where cell = 'mailed'),
                (select response_rate as control_rate from rpt_results where cell = 'holdout'),
                (select happened_at as mailed_on from read_csv('outbox/answers/made_up_ack*.csv') where status = 'mailed')
            """
        ).fetchall()
        assert row == ("measured", 0, True, True), "lift, the invoice with its seed addresses, and the day of mailing"

    def check_page(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Compare the page with the models."""
        page = self.project.path / "site/results/spring_catalog.html"
        assert "Nobody has ordered anything." in page.read_text(), "the page says that the orders are made up"
        tables = Tables(page)
        query = """
            select
                format('{:,}', units), format('{:,}', pieces), format('{:,}', responders), format('{:.2f}%', 100 * response_rate),
                format('{:,}', responses), format('{:,.2f}\u00a0USD', revenue)
            from rpt_results
            order by cell desc
        """
        shown = [row for row in tables.rows if row[0] in ("All mailed", "Control group") and len(row) == 8]
        assert [(*row[1:4], row[4].partition("%")[0] + "%", *row[5:7]) for row in shown] == connection.execute(query).fetchall()
        (caused,) = [row for row in tables.rows if row[0] == "All mailed" and len(row) == 6]
        query = "select 100 * lift, incremental_responders from rpt_results where cell = 'mailed'"
        lift, more = connection.execute(query).fetchall()[0]
        assert caused[1].startswith(f"{lift:+.2f}")
        assert caused[2].startswith(f"{more:+,.0f}")
        last = [row for row in tables.rows if row[0].isdigit()][-1]
        assert [cell.split()[0] for cell in last[1:]] == [row[3] for row in shown], "the table behind the chart ends with all"
