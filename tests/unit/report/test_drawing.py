"""The drawing of a campaign's models: every model is to the right of what it reads, and no boxes overlap."""

from hypothesis import given
from hypothesis import strategies as st

from dmail_runner.report.drawing import APART, HIGH, graph_link, layout, lineage_drawing
from dmail_runner.report.lineage import Model


def model(name: str, *reads: str, kind: str = "model") -> Model:
    return Model(name, kind, "", reads, f"lineage.html#!/{kind}/{name}")


@st.composite
def graphs(draw: st.DrawFn) -> list[Model]:
    """Models, each of which reads some of those before it; the last one reads something."""
    found: list[Model] = []
    for number in range(draw(st.integers(1, 12))):
        reads = draw(st.sets(st.sampled_from([one.name for one in found]), max_size=4)) if found else set()
        found.append(model(f"m{number}", *sorted(reads)))
    return found


@given(graphs())
def test_every_model_is_right_of_what_it_reads(models: list[Model]) -> None:
    spots, wide, high = layout(models, "f.csv")
    for one in models:
        left, top, width = spots[one.name]
        assert 0 < left <= left + width <= wide
        assert 0 < top <= top + HIGH <= high
        for parent in one.reads:
            assert spots[parent][0] + spots[parent][2] + APART <= left + 0.01
    for name, (left, top, width) in spots.items():
        for other, (others_left, others_top, others_width) in spots.items():
            apart = left + width <= others_left or others_left + others_width <= left or abs(top - others_top) >= HIGH
            assert name == other or apart, f"{name} and {other} overlap"


def test_boxes_link_to_dbts_pages_and_hostile_names_are_text() -> None:
    models = [model("<b>", kind="source"), model("x__extract", "<b>", "of another project")]
    drawn = lineage_drawing(models, "a&b.csv", "../", "drawing")
    assert '<a href="../lineage.html#!/model/x__extract">' in drawn
    assert "&lt;b&gt;" in drawn
    assert "<b>" not in drawn
    assert "a&amp;b.csv" in drawn
    assert "<a " not in lineage_drawing(models, "f", None, "drawing")
    assert graph_link("lineage.html", "exposure.dmail.c", "c") == (
        "lineage.html#!/exposure/exposure.dmail.c?g_v=1&g_i=%2Bexposure:c&g_e=resource_type:test%20resource_type:unit_test"
    )
