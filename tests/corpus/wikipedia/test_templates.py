from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.corpus.wikipedia.templates import FIXED, MAKERS, is_prose, replacement
from densecli.corpus.wikipedia.wikitext import NOT_UNDERSTOOD, prose


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{lang|fr|''mot''}}", "mot"),
        ("{{lang-el|λόγος}} {{langx|de|Wort}}", "Greek: λόγος German: Wort"),
        ("{{lang-ru|мир|mir|world}}", "Russian: мир, romanized: mir, lit. 'world'"),
        ("{{langx|ru|мир|translit=mir|lit=world}}", "Russian: мир, romanized: mir, lit. 'world'"),
        ("{{lang-ru|мир|label=none}}", "мир"),
        ("{{native phrase|de|Wort}} {{langwithname|de|German|Wort}}", "Wort (German) German: Wort"),
        ("{{transl|ar|ALA|kitāb}} {{transl|ru|kniga}}", "kitāb kniga"),
        (
            "{{as of|2009}}, {{As_of|2009|5|lc=y}}, {{as of|2009|5|3}}, {{as of|2009|5|3|df=US}}",
            "As of 2009, as of May 2009, As of 3 May 2009, As of May 3, 2009",
        ),
        ("{{as of|2009|since=y}} {{as of|2009|alt=in 2009}}", "Since 2009 in 2009"),
        ("{{birth date|1815|12|10}} {{start date|1815}}", "December 10, 1815 1815"),
        ("{{birth-date|7 May 1970}} {{birth-date|1970-05-07|May 1970}}", "7 May 1970 May 1970"),
        ("{{death date and age|1852|11|27|1815|12|10|df=y}}", "27 November 1852 (aged 36)"),
        ("{{OldStyleDate|February 2|1905|January 20}}", "February 2 [O.S. January 20] 1905"),
        ("{{frac|1|2}} {{frac|3}} {{frac|2|1|3}} {{sfrac|3''n'' + 1|2}}", "1/2 1/3 2 1/3 (3n + 1)/2"),
        ("{{val|6.241|e=18}} {{val|1.5|0.2|u=m}}", "6.241×10^18 1.5 ± 0.2 m"),
        ("{{val|1.5|0.2|e=-3|u=m|up=s}} {{val|1.00794|(7)}}", "(1.5 ± 0.2)×10^−3 m/s 1.00794(7)"),
        ("{{val|1234567|fmt=commas|ul=km}}", "1,234,567 km"),
        ("{{height|ft=5|in=7}} {{height|m=1.7}}", "5 ft 7 in 1.7 m"),
        ("{{nihongo|Tokyo|東京|Tōkyō}} {{nihongo||東京}}", "Tokyo (東京, Tōkyō) 東京"),
        ("{{nihongo|Tokyo|東京|Tōkyō|a city|of Japan}}", "Tokyo (東京, Tōkyō, a city) of Japan"),
        ("{{nihongo3|Tokyo|東京|Tōkyō}}", "Tōkyō (東京, Tokyo)"),
        (
            "{{zh|c=北京|p=Běijīng|l=northern capital}}",
            "Chinese: 北京; pinyin: Běijīng; lit. 'northern capital'",
        ),
        ("{{zh|s=汉|t=漢|first=t|labels=no}}", "漢; 汉"),
        ("{{USS|Hornet|CV-8}} {{ship|HMS|Hood|51}}", "USS Hornet (CV-8) HMS Hood (51)"),
        ("{{USS|Hornet|CV-8|1}} {{USS|Hornet|CV-8|2}}", "CV-8 Hornet"),
        ("{{USS|Hornet|CV-8|3}} {{USS|Hornet|CV-8|6}}", "Hornet (CV-8) USS Hornet"),
        ("{{sclass|Essex|aircraft carrier}}s", "Essex-class aircraft carriers"),
        ("{{circa|1900}} {{circa|1900|1910}}", "c. 1900 c. 1900 – c. 1910"),
        ("{{reign|1066|1087}} {{fl.|1 BC|2 AD}}", "r. 1066–1087 fl. 1 BC – 2 AD"),
        ("{{US$|5}} {{US$|5|1990}} {{GBP|1 million}}", "US$5 US$5 £1 million"),
        ("{{chem|H|2|O}} {{chem|C|''n''|H|2''n''+2}} {{CO2}}", "H2O CnH2n+2 CO2"),
        ("{{chem2|2H2 + O2 -> 2H2O}} {{chem2|SO4(2-)}} {{chem2|Na+}}", "2 H2 + O2 → 2 H2O SO4 2− Na+"),
        ("{{nuclide|uranium|235}} {{simplenuclide|Ca|48}}", "235U 48Ca"),
        ("{{sic|hi|er}} {{sic}} {{sic|hier|hide=y}}", "hier [sic] [sic] hier"),
        ("1900{{ndash}}1910{{snd}}x {{'}}y{{=}}z", "1900–1910 – x 'y=z"),
        ("{{formatnum:12345.678}} {{uc:abc}} {{lcfirst:ABC}}", "12,345.678 ABC aBC"),
        ("{{percentage|1|4}} {{percentage|1|3|2}} {{percentage|1|2|1|pad=yes}}", "25% 33.33% 50.0%"),
        ("{{ordinal|3}} {{ordinal|21}} {{ordinal|112}}", "3rd 21st 112th"),
        ("{{nts|1234}} {{sqrt|2}} {{radic|8|3}}", "1,234 √2 ³√8"),
        ("{{mya|65}} {{unité|2000|m}}", "65 million years ago 2 000 m"),
        ("{{bibleverse|1|John|3:16|KJV}} {{bibleverse||Mark|3:25|9}}", "1 John 3:16 Mark 3:25"),
        ("{{quote|text=Words.|author=Ada|source=Notes}}", "Words. — Ada, Notes"),
        ("{{rquote|right|Words.|Ada}} {{cquote|Words.|20px|20px|Ada}}", "Words. — Ada Words. — Ada"),
        ("{{ill|Ada|de|lt=Countess}} {{vanchor|a|b}} {{vanchor|a|text=c}}", "Countess a c"),
        (
            "{{angbr|aa}} {{keypress|Ctrl|C}} B{{music|flat}} {{ruby|東京|とうきょう}}",
            "⟨aa⟩ Ctrl+C B♭ 東京(とうきょう)",
        ),
        ("{{flag|France}} {{flagcountry|FRA|name=France}}", "France France"),
        ("{{font color|red|white|x}} {{resize|120%|y}} {{resize|z}}", "x y z"),
        ("{{Template:Nowrap|1=a}} {{IPAc-en|x}} {{flagicon|y}} {{#if:a|b}} {{reflist}}z", "a z"),
    ],
)
def test_a_template_is_shown_as_wikipedia_shows_it(template, text):
    counts = Counter()
    assert prose(template, left_out=counts) == text
    assert counts[NOT_UNDERSTOOD] == 0


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{convert|5|km|mi}}", "5 kilometres"),
        ("{{convert|5|km|mi|sp=us}} {{convert|1|in}}", "5 kilometers 1 inch"),
        (
            "{{Convert|2381741|km2|sqmi|abbr=on}} {{convert|188,320|sqmi|km2|0}}",
            "2,381,741 km2 188,320 square miles",
        ),
        ("{{convert|5|to|10|ft|m}} {{convert|5|to|10|ft|m|adj=on}}", "5 to 10 feet 5-to-10-foot"),
        ("{{cvt|5|-|10|C}} {{convert|-19|to|22|C|F}}", "5–10 °C −19 to 22 °C"),
        ("{{convert|6|ft|2|in|cm}} {{convert|5|ft|0|in|m|abbr=on}}", "6 feet 2 inches 5 ft 0 in"),
        ("{{convert|3|by|4|m}} {{convert|3|x|4|ft}}", "3 by 4 metres 3 feet × 4 feet"),
        ("{{convert|60|and(-)|80|kg}} {{cvt|60|and(-)|80|kg}}", "60 and 80 kilograms 60–80 kg"),
        ("{{convert|1.5|e6acre}} {{convert|3|million|km}}", "1.5 million acres 3 million kilometres"),
        ("{{convert|2|-|3|e6km2}} {{convert|160|koilbbl/d}}", "2–3 million km2 160 thousand barrels per day"),
        ("{{convert|20|C-change}} {{convert|3.5|mi|km|adj=on}}", "20 °C 3.5-mile"),
        ("{{convert|1/2|mi}} {{convert|1+1/2|mi}}", "1/2 mile 1 1/2 miles"),
        ("{{convert|30|/sqmi|abbr=on}} {{convert|30|PD/sqmi}}", "30/sq mi 30 inhabitants per square mile"),
        ("{{convert|6000|ft|m|-2|disp=or}} {{convert|840|m|order=flip}}", "6,000 feet 840 metres"),
    ],
)
def test_a_measurement_is_shown_in_its_own_unit(template, text):
    assert prose(template) == text


@pytest.mark.parametrize(
    "template",
    [
        "{{convert|5|smoot}}",
        "{{convert|five|km}}",
        "{{convert|5}}",
        "{{convert|5|km|disp=unit}}",
        "{{convert|5|km|disp=output only}}",
        "{{convert|10|ft|m|adj=mid|-long}}",
        "{{lang-xyz|x}}",
        "{{percentage|1|0}}",
        "{{percentage|a|b}}",
        "{{ordinal|third}}",
        "{{mya|65|66}}",
        "{{val|1|2|3}}",
        "{{val|1|limits=x}}",
        "{{death date and age|1852|11|27}}",
        "{{start date|1999|12|31|23|59}}",
        "{{sclass|Essex|carrier|2}}",
        "{{USS|Hornet|CV-8|9}}",
        "{{nuclide|unobtanium|3}}",
        "{{music|time|4|4}}",
        "{{flag|USA}}",
        "{{chem2|{{frac|1|2}}O2|x}}",
        "{{as of|2009|pre=May}}",
        "{{nowrap}}",
    ],
)
def test_an_unknown_template_form_is_dropped_and_counted(template):
    counts = Counter()
    assert prose(f"Before {template} after.", left_out=counts) == "Before after."
    assert counts[NOT_UNDERSTOOD] == 1


@pytest.mark.parametrize("name", ["infobox person", "cite web", "#if:x", "", "lang"])
def test_a_template_that_is_not_in_the_table_has_no_text(name):
    assert is_prose(name) == (name == "lang")
    assert replacement(name, {}) is None


@given(
    st.sampled_from(sorted(MAKERS)),
    st.dictionaries(
        st.sampled_from(
            ["1", "2", "3", "4", "5", "6", "e", "u", "df", "adj", "abbr", "text", "s", "t", "first"]
        ),
        st.sampled_from(
            ["", "x", "99", "0", "-1", "1/0", "²", "1e9", "nan", "to", "x", "km", "on", "2001", "9" * 5000]
        ),
    ),
)
def test_unusual_parameters_are_tolerated(name, args):
    assert replacement(name, args) != ""  # a text, or None: never half of one


def test_templates_with_a_fixed_text_need_no_parameters():
    assert all(replacement(name, {}) == text for name, text in FIXED.items())
