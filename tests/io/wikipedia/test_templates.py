import pytest

from densecli.io.wikipedia.templates import is_prose, replacement
from densecli.io.wikipedia.wikitext import prose


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{convert|5|km|mi}}", "5 km"),
        ("{{Convert|2381741|km2|sqmi|abbr=on}}", "2,381,741 km²"),
        ("{{convert|5|to|10|ft|m}}", "5 to 10 feet"),
        ("{{cvt|5|-|10|C}}", "5–10 °C"),
        ("{{convert|6|ft|2|in|cm}}", "6 feet 2 inches"),
        ("{{convert|3|by|4|m}}", "3 by 4 m"),
        ("{{lang|fr|''mot''}}", "mot"),
        ("{{lang-el|λόγος}} {{langx|de|Wort}} {{lang-xyz|x}}", "Greek: λόγος German: Wort x"),
        ("{{transl|ar|ALA|kitāb}} {{transl|ru|kniga}}", "kitāb kniga"),
        (
            "{{as of|2009}}, {{As_of|2009|5|lc=y}}, {{as of|2009|5|3|df=y}}",
            "As of 2009, as of May 2009, As of 3 May 2009",
        ),
        ("{{birth date|1815|12|10}} {{start date|1815}}", "December 10, 1815 1815"),
        ("{{frac|1|2}} {{frac|3}} {{frac|2|1|3}}", "1/2 1/3 2 1/3"),
        ("{{val|1.5|0.2|e=3|u=m}}", "1.5 ± 0.2×10^3 m"),
        ("{{height|ft=5|in=7}} {{height|m=1.7}}", "5 ft 7 in 1.7 m"),
        ("{{nihongo|Tokyo|東京|Tōkyō}} {{nihongo||東京}}", "Tokyo (東京, Tōkyō) 東京"),
        ("{{zh|c=北京|p=Běijīng}}", "北京, Běijīng"),
        (
            "{{USS|Hornet|CV-8}} {{USS|Hornet|CV-8|2}} {{ship|HMS|Hood|51}}",
            "USS Hornet (CV-8) USS Hornet HMS Hood (51)",
        ),
        ("{{sclass|Essex|aircraft carrier}}s", "Essex-class aircraft carriers"),
        ("{{circa|1900}} {{US$|5}} {{chem|H|2|O}} {{sic|hi|er}}", "c. 1900 US$5 H2O hier"),
        ("1900{{ndash}}1910{{snd}}x {{'}}y{{=}}z", "1900–1910 – x 'y=z"),
        ("{{formatnum:12345}} {{uc:abc}}", "12345 abc"),
        ("{{quote|text=Words.|author=Ada}} {{ill|Ada|de|lt=Countess}}", "Words. Countess"),
        ("{{Template:Nowrap|1=a}} {{nowrap}} {{IPAc-en|x}} {{flagicon|y}} {{#if:a|b}} {{reflist}}z", "a z"),
    ],
)
def test_templates_that_hold_prose(template, text):
    assert prose(template) == text


@pytest.mark.parametrize("name", ["infobox person", "cite web", "#if:x", "", "lang"])
def test_a_template_outside_the_table_has_no_text(name):
    assert is_prose(name) == (name == "lang")
    assert replacement(name, {}) == ""


@pytest.mark.parametrize(
    "name", ["convert", "val", "frac", "height", "ship", "sclass", "zh", "as of", "transl", "e"]
)
def test_no_parameters_and_odd_ones_do_no_harm(name):
    for args in ({}, {"1": ""}, {"1": "x", "2": "", "3": "99"}, {"1": "99", "2": "13", "3": "²"}):
        assert isinstance(replacement(name, args), str)
