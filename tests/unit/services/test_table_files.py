import os

from nbautoml.services import table_files
from nbautoml.services.table_files import table_files as found_in

ENDS = (".csv", ".csv.gz")


def write(root, *names):
    for age, name in enumerate(names):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("a\n1\n")
        os.utime(file, (1000 - age, 1000 - age))


def paths(root, folder="."):
    return [item["path"] for item in found_in(root, root / folder, ENDS)]


def test_the_notebooks_own_folder_comes_first_then_the_newest(tmp_path):
    write(tmp_path, "new.csv", "b/old.CSV", "b/c/deep.csv.gz", "notes.txt")
    assert paths(tmp_path) == ["new.csv", "b/old.CSV", "b/c/deep.csv.gz"]
    assert paths(tmp_path, "b/c") == ["b/c/deep.csv.gz", "new.csv", "b/old.CSV"]


def test_hidden_places_and_those_of_programs_are_left_out(tmp_path):
    write(tmp_path, ".hidden/a.csv", "node_modules/a.csv", ".a.csv", "a.csv")
    assert paths(tmp_path) == ["a.csv"]


def test_links_lead_nowhere(tmp_path):
    write(tmp_path, "out/a.csv", "in/b.csv")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "out", target_is_directory=True)
    (tmp_path / "in" / "c.csv").symlink_to(tmp_path / "out" / "a.csv")
    assert [item["path"] for item in found_in(tmp_path / "in", tmp_path / "in", ENDS)] == ["b.csv"]


def test_a_large_tree_is_looked_at_in_part(tmp_path, monkeypatch):
    write(tmp_path, *(f"{i:02}.csv" for i in range(30)))
    monkeypatch.setattr(table_files, "MOST_SEEN", 20)
    monkeypatch.setattr(table_files, "MOST_FILES", 5)
    assert len(paths(tmp_path)) == 5
    monkeypatch.setattr(table_files, "MOST_FILES", 50)
    assert len(paths(tmp_path)) == 20


def test_deep_folders_and_missing_ones_are_no_error(tmp_path):
    write(tmp_path, "1/2/3/4/near.csv", "1/2/3/4/5/far.csv")
    assert paths(tmp_path) == ["1/2/3/4/near.csv"]
    assert found_in(tmp_path / "none", tmp_path, ENDS) == []
