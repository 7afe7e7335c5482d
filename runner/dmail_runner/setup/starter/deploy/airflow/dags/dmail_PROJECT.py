"""Start dmail-runner every fifteen minutes. The runner decides what is due.

No slot is mailed twice, however often a task is cleared. The worker's environment has the secrets:

<<VARIABLES>>
"""

from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    "dmail_<<PROJECT>>",
    schedule="*/15 * * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    tags=["direct mail"],
):
    BashOperator(
        task_id="due",
        bash_command="<<COMMAND>> run --due",
        cwd="<<DIRECTORY>>",
        skip_on_exit_code=3,  # held: people were notified, and a retry changes nothing
        retries=2,
        retry_delay=timedelta(minutes=5),
    )
