"""Pages speak the language of whoever sees them."""

from __future__ import annotations

import string
from pathlib import Path
from threading import Event

import pytest

from journeylang.diagnostics.codes.running import BAD_CONFIG
from journeylang.serve.opening import opened
from journeylang.serve.page_words import Wordings, shipped, wordings
from tests.runtime.world import BINDING, loaded, sql, write
from tests.serve.place import ENVIRON, messages, served, served_shop

SPOKEN = BINDING.replace(
    '  timezone c.tz else "Europe/Berlin"\n',
    '  timezone c.tz else "Europe/Berlin"\n  locale c.lang else "en"\n',
)


def test_all_of_them_say_the_same() -> None:
    assert set(shipped()) >= {"en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "uk"}
    english = shipped()["en"]
    for locale, texts in shipped().items():
        assert list(texts) == list(english), locale
        for name, text in texts.items():
            assert text.strip() == text, (locale, name)
            assert text[0] not in string.punctuation, (locale, name)
            if locale != "en" and name not in ("email", "sms", "push", "topics"):
                assert text != english[name], (locale, name)
            if text.endswith(".") != english[name].endswith("."):
                raise AssertionError((locale, name))


@pytest.mark.parametrize(
    ("locale", "accepted", "found"),
    [
        ("de-DE", "fr", "de"),
        ("pt_BR.UTF-8", "", "pt"),
        ("uk", "", "uk"),
        (None, "xx, fr;q=0.3, es;q=0.8", "es"),
        (None, "en;q=0.1,de;q=0", "en"),
        ("zz", "pl-PL,pl;q=0.9,en;q=0.8", "pl"),
        (None, "", "en"),
        (None, "*, ;;;, de;q=x, " + "a" * 5000, "en"),
        ("", "nl", "nl"),
        ("-", "it", "it"),
        (None, "fr;q=0.3,es;Q=0.8", "es"),
    ],
)
def test_who_is_spoken_to_how(locale: str | None, accepted: str, found: str) -> None:
    assert Wordings({}).of(locale, accepted).locale == found


def test_a_project_says_some_of_it_otherwise(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "de.toml").write_text('save = "Übernehmen"\nchannel_email = "Newsletter"\n')
    (folder / "de-AT.toml").write_text('saved = "Servus"\ntopic_offers = "Zuckerl"\n')
    (folder / "sv.toml").write_text('save = "Spara"\n')
    found = wordings(tmp_path).value
    assert found is not None
    german, austrian, swedish = found.of("de-DE"), found.of("de_AT"), found.of(None, "sv")
    assert (german.texts["save"], german.texts["saved"]) == ("Übernehmen", "Gespeichert")
    assert (austrian.texts["save"], austrian.texts["saved"]) == ("Übernehmen", "Servus")
    assert (swedish.texts["save"], swedish.texts["saved"]) == ("Spara", "Saved")
    assert german.title("channel", "email", "?") == "Newsletter"
    assert german.title("channel", "sms", "?") == "SMS"
    assert german.title("channel", "pigeon", "Pigeon") == "Pigeon"
    assert austrian.title("topic", "offers", "?") == "Zuckerl"
    assert german.title("topic", "save", "Savings") == "Savings"
    assert german.title("channel", "save", "Save the date") == "Save the date"


def test_a_locale_has_what_is_said_of_all_that_it_is_part_of(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "zh.toml").write_text('save = "a"\nsaved = "a"\nanswer = "a"\n')
    (folder / "zh-Hant.toml").write_text('saved = "b"\nanswer = "b"\n')
    (folder / "zh-Hant-HK.toml").write_text('answer = "c"\n', encoding="utf-8-sig")
    found = wordings(tmp_path).value
    assert found is not None
    texts = found.of("zh-Hant-HK").texts
    assert (texts["save"], texts["saved"], texts["answer"]) == ("a", "b", "c")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("de", "sve = 'x'", "the pages have no `sve`"),
        ("de", "save = ", "cannot be read"),
        ("de", "save = 5", "`save` is no text"),
        ("de", "save = ''", "`save` is no text"),
        ("de", f"save = '{'x' * 501}'", "`save` is no text"),
        ("german language", "save = 'x'", "named after no locale"),
    ],
)
def test_words_that_cannot_be_spoken(tmp_path: Path, name: str, text: str, words: str) -> None:
    root = served_shop(tmp_path)
    (root / "pages").mkdir()
    (root / "pages" / f"{name}.toml").write_text(text)
    found = opened(loaded(root), "dev", environ=ENVIRON)
    assert found.value is None
    [told] = found.diagnostics
    assert told.code is BAD_CONFIG
    assert words in told.message
    assert told.help


def test_pages_are_in_the_language_of_the_customer(tmp_path: Path) -> None:
    root = served_shop(tmp_path)
    sql(root, "ALTER TABLE crm.customers ADD COLUMN lang VARCHAR; SELECT 1")
    one, two, *_ = messages(root)
    sql(root, f"UPDATE crm.customers SET lang = 'de-DE' WHERE id = {one} RETURNING id")
    write(root, binding=SPOKEN, config=(root / "journey.toml").read_text())
    (root / "pages").mkdir()
    (root / "pages" / "de.toml").write_text('save = "<Übernehmen>"\n')
    with served(root) as server:
        names = messages(root)
        mine = server.path(server.links.preferences(names[one]))
        other = server.path(server.links.preferences(names[two]))
        page = server.client.get(mine, headers={"accept-language": "fr"})
        assert '<html lang="de">' in page.text
        assert "Einstellungen" in page.text
        assert "höchstens einmal pro Woche" in page.text
        assert "&lt;Übernehmen&gt;" in page.text
        saved = server.client.post(mine, data={"shown": "1", "frequency": "weekly", "lang": "de"})
        assert "Gespeichert" in saved.text
        # Of whom the project knows none, it says `else "en"`.
        assert "Preferences" in server.client.get(other, headers={"accept-language": "fr"}).text
        unsubscribe = server.path(server.links.unsubscribe(names[one]))
        for way, title, then in (
            (unsubscribe, "Abmelden", "Abgemeldet"),
            (server.path(server.links.answer(names[one], "nps", "9")), "Antwort", "Danke"),
            (
                server.path(server.links.answer(names[one], "consent", "offers")),
                "Bitte bestätigen",
                "Danke",
            ),
        ):
            page = server.client.get(way, headers={"accept-language": "uk"})
            assert '<html lang="de">' in page.text
            assert title in page.text
            behind = server.client.post(way, data={"lang": "de"}, headers={"accept-language": "uk"})
            assert then in behind.text
        # A mail program posts without a page before; nobody reads what it is told.
        assert "Désinscription" in (
            server.client.post(unsubscribe, headers={"accept-language": "fr-FR"}).text
        )
        # Where the database does not answer in time, it goes by the browser.
        held = Event()
        keeper = server.serving.keeper
        keeper.ask(lambda *_: held.wait(20))
        page = server.client.get(unsubscribe, headers={"accept-language": "uk,en;q=0.5"})
        held.set()
        assert "Відписатися" in page.text
        server.settled()
        # That nobody waits for the answer any more is no failure of the database.
        assert server.count("failures", "taking") == 0
        # Nor does anybody see what a database that refuses the question has said.
        keeper.ask(lambda engine, _: engine.execute("DROP TABLE journey.preference")).result(9)
        assert server.client.get(mine).status_code == 503
        assert "Kein Link von uns" in (
            server.client.get("/u/x/y", headers={"accept-language": "de"}).text
        )
