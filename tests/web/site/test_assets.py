import re
import shutil

from digit_classifier.web.site import assets


def test_address_changes_with_any_file_and_with_nothing_else(tmp_path, monkeypatch):
    before = assets.static_path()
    assert re.fullmatch(r"/static/[0-9a-f]{12}", before)
    monkeypatch.setattr(assets, "OWN", shutil.copytree(assets.OWN, tmp_path / "static"))
    assert assets.static_path() == before
    (assets.OWN / "site.css").write_text("body { color: red }")
    edited = assets.static_path()
    (assets.OWN / "new.css").touch()
    assert len({before, edited, assets.static_path()}) == 3


def test_address_changes_with_the_release_of_bootstrap(monkeypatch):
    before = assets.static_path()
    monkeypatch.setattr(assets, "version", lambda _name: "999")
    assert assets.static_path() != before


def test_folders_hold_what_the_page_asks_for(client):
    page = client.get("/").text
    for folder, path in re.findall(r'href="(/bootstrap)?/static/[0-9a-f]{12}/([^"]+)"', page):
        assert ((assets.BOOTSTRAP if folder else assets.OWN) / path).is_file()
