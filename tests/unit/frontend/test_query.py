from frontend.query import BoardQuery, select
from frontend.resources import Leaderboard, Row


def row(model: str, *, rank: int | None, avg: float | None, access: str = "open", organization: str = "") -> Row:
    return Row(
        rank=rank,
        entry_id=model,
        kind="curated",
        provenance="paper",
        model=model,
        organization=organization,
        access=access,
        size="",
        team="",
        protocol="",
        submitted_at="",
        source_url="",
        scores={"avg": avg},
    )


BOARD = Leaderboard(
    benchmark="gsi-bench",
    subset="",
    operation="",
    columns=("avg",),
    rows=(
        row("Beta", rank=1, avg=40.0),
        row("alpha", rank=2, avg=30.0, access="closed", organization="OpenAI"),
        row("Gamma", rank=None, avg=None),
    ),
)


def models(query: BoardQuery) -> list[str]:
    return [each.model for each in select(BOARD, query=query)]


def test_a_view_survives_the_way_through_its_address() -> None:
    query = BoardQuery(
        board="blocks",
        protocol="gsi-official-1",
        subset="blocks-room",
        operation="move",
        search="a b&c",
        sort="ic",
        ascending=True,
    )
    assert BoardQuery.parse(query.link().partition("?")[2]) == query


def test_the_plain_view_has_a_plain_address() -> None:
    assert BoardQuery().link() == "/"


def test_a_second_click_on_a_column_turns_the_order_around() -> None:
    once = BoardQuery.parse(BoardQuery().sorted_link("ic").partition("?")[2])
    twice = BoardQuery.parse(once.sorted_link("ic").partition("?")[2])
    assert (once.sort, once.ascending) == ("ic", False)
    assert (twice.sort, twice.ascending) == ("ic", True)


def test_only_the_sorted_column_says_so() -> None:
    query = BoardQuery(sort="ic")
    assert [query.aria_sort(column) for column in ("rank", "ic", "sa")] == ["", "descending", ""]
    assert BoardQuery().aria_sort("rank") == "ascending"


def test_missing_values_come_last_in_both_orders() -> None:
    assert models(BoardQuery(sort="avg")) == ["Beta", "alpha", "Gamma"]
    assert models(BoardQuery(sort="avg", ascending=True)) == ["alpha", "Beta", "Gamma"]
    assert models(BoardQuery(ascending=True)) == ["alpha", "Beta", "Gamma"]


def test_models_sort_without_regard_to_case() -> None:
    assert models(BoardQuery(sort="model", ascending=True)) == ["alpha", "Beta", "Gamma"]


def test_filters_leave_the_ranks_as_they_are() -> None:
    found = select(BOARD, query=BoardQuery(search="openai", access="closed"))
    assert [(each.model, each.rank) for each in found] == [("alpha", 2)]


def test_an_endless_search_is_cut() -> None:
    assert len(BoardQuery.parse("q=" + "x" * 5000).search) == 80
