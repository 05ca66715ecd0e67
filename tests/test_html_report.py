"""The page that holds the charts, and the figures of a result."""

import json
import math
import re
import sys
from html.parser import HTMLParser

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.offline import get_plotlyjs_version
from support.drawing import (
    CHARTS,
    DRAWN,
    FEW_PATHS,
    NAMES,
    NORMAL,
    RESULTS,
    SMALL,
    STRATEGY_NAME,
    TIGHT,
    VALUES,
    figures,
)
from support.tapes import Given, signals_of

from scalpr_zen import ScalprError, run, save
from scalpr_zen.render.data import jsonable
from scalpr_zen.render.figure import THEMES
from scalpr_zen.render.html import blocks_html
from scalpr_zen.sections import sections

# --------------------------------------------------------------------------------------- figures of a result


def test_a_result_gives_plotly_figures_by_the_same_names():
    got = NORMAL.figures()
    assert list(got) == NAMES
    for name, figure in got.items():
        assert type(figure) is go.Figure
        assert json.loads(figure.to_json())["data"] == json.loads(json.dumps(DRAWN[name]["data"]))
        assert figure.layout.title.text == DRAWN[name]["layout"]["title"]["text"]
        assert figure.layout.template.layout.font.color == THEMES["light"]["layout"]["font"]["color"]


def test_without_plotly_its_figures_are_refused_in_one_line_and_all_else_is_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(ScalprError, match=r"pip install plotly$"):
        NORMAL.figures()
    assert "Plotly.react" in NORMAL.html()


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
        assert not {"src", "href", "srcset", "data", "action", "onload"} & set(attrs)
        assert tag not in {"link", "iframe", "img", "object", "embed"}
    ((_, style),) = normal_page.of("style")
    assert "url(" not in style
    assert "@import" not in style


def test_the_page_contains_plotly_the_figures_and_both_themes(normal_page):
    scripts = [text for _, text in normal_page.of("script")]
    assert "plotly.js (cartesian - minified) v" in scripts[0][:200]
    assert "</script" not in scripts[0]
    assert len(scripts) == 3
    assert embedded(normal_page) == as_json({"figures": DRAWN, "themes": THEMES})
    assert not re.search(r"https?:|//", scripts[2])


def test_the_charts_are_of_the_kinds_that_the_bundle_draws_and_its_version_is_that_of_the_tests(normal_page):
    ((_, script), *_) = normal_page.of("script")
    kinds = {
        trace["type"] for case in RESULTS for figure in RESULTS[case].charts().values() for trace in figure["data"]
    }
    assert kinds <= {"scatter", "bar", "heatmap"}
    # Figures are checked by the plotly package: both must know the same attributes.
    (major,) = re.findall(r"minified\) v(\d+)\.", script[:200])
    assert major == get_plotlyjs_version().split(".")[0]


def test_every_figure_has_its_place_and_its_sentence_on_the_page(normal_page):
    places = [attrs for attrs, _ in normal_page.of("figure")]
    assert [place["id"] for place in places] == NAMES
    assert [place["aria-label"] for place in places] == [chart.sentence for chart in CHARTS]


def test_the_page_has_every_section_with_all_it_declares(normal_html, normal_page):
    at = 0
    for section in sections().values():
        if section.title:
            at = normal_html.index(f"<h2>{section.title.replace('&', '&amp;')}</h2>", at)
            at = normal_html.index(blocks_html(section.blocks(NORMAL.run, NORMAL.values)), at)
    for note in NORMAL.values["notes"]:
        assert f"NOTE {note}" in [text for _, text in normal_page.of("p")]
    ((_, title),) = normal_page.of("title")
    assert title == f"scalpr_zen EmaCrossover NQ {VALUES['manifest']['started']}"


def test_a_notebook_shows_what_leads_the_page(normal_html):
    shown = NORMAL._repr_html_()
    assert shown in normal_html
    assert "Net P&amp;L" in shown
    assert "buy &amp; hold" in shown


def test_a_synthetic_tape_is_stamped(normal_page):
    ((_, text),) = [(attrs, text) for attrs, text in normal_page.of("p") if attrs.get("class") == "synthetic"]
    assert text.startswith("SYNTHETIC")


@pytest.mark.parametrize("case", ["no trades", "empty tape"])
def test_another_tape_is_not_stamped(case):
    text = RESULTS[case].html()
    assert "SYNTHETIC" not in text
    assert embedded(Page(text))["figures"] == as_json(figures(jsonable(RESULTS[case].to_dict())))


def test_a_strategy_of_any_name_stays_text():
    odd = type(STRATEGY_NAME, (Given,), {})
    result = run(SMALL, odd(signals_of(SMALL, {0: 1})), TIGHT, settings=FEW_PATHS)
    page = Page(result.html())
    assert len(page.of("script")) == 3
    assert page.of("img") == []
    ((_, title),), ((_, heading),) = page.of("title"), page.of("h1")
    assert STRATEGY_NAME in title
    assert heading == title


def test_no_text_in_the_data_ends_its_script():
    rows = [{**row, "side": f"{row['side']}</script><!--<script>"} for row in VALUES["series"]["exits"]]
    result = NORMAL.having({"series": (NORMAL.values["series"] | {"exits": rows}, 0.0)})
    page = Page(result.html())
    assert len(page.of("script")) == 3
    assert embedded(page)["figures"]["exits"]["data"][0]["x"][0] == "long</script><!--<script>"


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
