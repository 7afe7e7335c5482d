"""A configuration error reaches people, and blocks no other campaign."""

from project import WRONG, Project
from worlds import listening


def test_a_wrong_declaration_is_told_of_and_stops_no_other_campaign(project: Project) -> None:
    with listening() as (port, told):
        (project.path / "profiles/notices.yml").write_text(
            f'channels: [{{webhook: "http://127.0.0.1:{port}/", allow_http: true}}]'
        )
        project.edit("models/campaigns/loyalty_offer/_loyalty_offer__exposures.yml", "provider: offerworks", "provider: nobody")
        for _ in range(2):
            done = project.call("run", "--due")
            assert done.returncode == WRONG
            assert "there is no such provider" in done.stderr
    assert [(notice["kind"], notice["campaign"]) for notice in told] == [("failed", "loyalty_offer")]
    assert "there is no such provider" in told[0]["what"]
