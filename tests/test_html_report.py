"""The page that holds the charts, and the figures of a result."""

import json
import math
import re
from html.parser import HTMLParser

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.offline import get_plotlyjs
from support.drawing import DRAWN, FEW_PATHS, NAMES, NORMAL, RESULTS, SMALL, STRATEGY_NAME, TIGHT, VALUES, with_series
from support.tapes import Given, signals_of

from scalpr_zen import run, save
from scalpr_zen.render import html_report
from scalpr_zen.render.figures import CHARTS, THEMES, figures
from scalpr_zen.runs.backtest import jsonable

# --------------------------------------------------------------------------------------- figures of a result


@pytest.mark.parametrize("case", ["normal", "no trades", "empty tape"])
def test_a_result_gives_plotly_figures_by_the_same_names(case):
    got, expected = RESULTS[case].figures(), figures(jsonable(RESULTS[case].to_dict()))
    assert list(got) == NAMES
    for name, figure in got.items():
        assert type(figure) is go.Figure
        assert json.loads(figure.to_json())["data"] == json.loads(json.dumps(expected[name]["data"]))
        assert figure.layout.title.text == expected[name]["layout"]["title"]["text"]
        assert figure.layout.template.layout.font.color == THEMES["light"]["layout"]["font"]["color"]


# ------------------------------------------------------------------------------------------------ the page


class Page(HTMLParser):
    """What a browser finds in a page: the tags with their attributes, and the text inside each tag."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.declared, self.inside = [], [], [], False
        self.feed(text)
        self.close()

    def handle_decl(self, decl):
        self.declared.append(decl)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.texts.append("")
        self.inside = True

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.texts[-1] += data

    def of(self, tag):
        """The attributes and the text of every such tag."""
        both = zip(self.tags, self.texts, strict=True)
        return [(attrs, text) for (name, attrs), text in both if name == tag]


def embedded(page):
    (data,) = [text for attrs, text in page.of("script") if attrs.get("id") == "figures"]
    return json.loads(data)


@pytest.fixture(scope="module")
def normal_html():
    return NORMAL.html()


@pytest.fixture(scope="module")
def normal_page(normal_html):
    return Page(normal_html)


def as_json(value):
    return json.loads(json.dumps(value))


def test_the_page_loads_nothing_from_anywhere(normal_page):
    assert normal_page.declared == ["DOCTYPE html"]
    for tag, attrs in normal_page.tags:
        assert tag in {"html", "meta", "title", "style", "h1", "p", "main", "figure", "pre", "script"}
        assert not {"src", "href", "srcset", "data", "action", "onload"} & set(attrs)
    ((_, style),) = normal_page.of("style")
    assert "url(" not in style
    assert "@import" not in style


def test_the_page_contains_plotly_the_figures_and_both_themes(normal_page):
    scripts = [text for _, text in normal_page.of("script")]
    assert scripts[0] == get_plotlyjs()
    assert len(scripts) == 3
    assert embedded(normal_page) == as_json({"figures": DRAWN, "themes": THEMES})
    assert not re.search(r"https?:|//", scripts[2])


def test_every_figure_has_its_place_and_its_sentence_on_the_page(normal_page):
    places = [attrs for attrs, _ in normal_page.of("figure")]
    assert [place["id"] for place in places] == NAMES
    assert [place["aria-label"] for place in places] == [chart.sentence for chart in CHARTS]


def test_the_page_ends_with_the_summary(normal_page):
    ((_, summary),) = normal_page.of("pre")
    assert summary.strip("\n") == NORMAL.full_text().strip("\n")
    ((_, title),) = normal_page.of("title")
    assert title == f"scalpr_zen EmaCrossover NQ {VALUES['manifest']['started']}"


def test_a_synthetic_tape_is_stamped(normal_page):
    ((attrs, text),) = normal_page.of("p")
    assert attrs == {"class": "synthetic"}
    assert text.startswith("SYNTHETIC")


@pytest.mark.parametrize("case", ["no trades", "empty tape"])
def test_another_tape_is_not_stamped(case):
    text = RESULTS[case].html()
    page = Page(text)
    assert "SYNTHETIC" not in text
    assert page.of("p") == []
    assert embedded(page)["figures"] == as_json(figures(jsonable(RESULTS[case].to_dict())))


def test_a_strategy_of_any_name_stays_text():
    odd = type(STRATEGY_NAME, (Given,), {})
    result = run(SMALL, odd(signals_of(SMALL, {0: 1})), TIGHT, settings=FEW_PATHS)
    page = Page(result.html())
    assert len(page.of("script")) == 3
    assert page.of("img") == []
    (((_, title),), ((_, heading),), ((_, summary),)) = (page.of(tag) for tag in ("title", "h1", "pre"))
    assert STRATEGY_NAME in title
    assert heading == title
    assert summary.strip("\n") == result.full_text().strip("\n")


def test_no_text_in_the_data_ends_its_script():
    rows = [{**row, "side": f"{row['side']}</script><!--<script>"} for row in VALUES["series"]["exits"]]
    page = Page(html_report.page(with_series(exits=rows), "<b>&amp;"))
    assert len(page.of("script")) == 3
    assert embedded(page)["figures"]["exits"]["data"][0]["x"][0] == "long</script><!--<script>"
    ((_, summary),) = page.of("pre")
    assert summary.strip("\n") == "<b>&amp;"


def test_the_page_is_saved_beside_the_others(tmp_path, normal_html):
    paths = save(NORMAL, tmp_path, csv=True, html=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths)
    assert {path.suffix for path in paths} == {".txt", ".json", ".csv", ".html"}
    assert len({path.stem for path in paths}) == 1
    (page,) = (path for path in paths if path.suffix == ".html")
    assert page.read_text(encoding="utf-8").rstrip("\n") == normal_html.rstrip("\n")


def test_no_page_is_saved_unless_wanted(tmp_path):
    assert {path.suffix for path in save(NORMAL, tmp_path)} == {".txt", ".json"}


def test_no_number_of_a_figure_is_infinite():
    def numbers(value):
        if isinstance(value, dict):
            return [x for item in value.values() for x in numbers(item)]
        if isinstance(value, (list, tuple)):
            return [x for item in value for x in numbers(item)]
        return [value] if isinstance(value, (int, float)) else []

    for case in RESULTS:
        assert all(map(math.isfinite, numbers(figures(jsonable(RESULTS[case].to_dict())))))
    assert np.isfinite(numbers(THEMES)).all()
