"""The HTML of every public estimator leads to its page, once there is an address."""

import re
import sys
from email.message import Message
from importlib import metadata
from pathlib import Path

import pytest
from test_common import ESTIMATORS

from emclassify import ImageOverSampler, LipNetClassifier, svm_baseline

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))
from api_reference import write

ADDRESS = "https://docs.example.org/emclassify/stable"


@pytest.fixture
def project_urls(monkeypatch):
    """Return a function that gives the installed package these project URLs."""

    def give(*urls):
        message = Message()
        for url in urls:
            message["Project-URL"] = url
        monkeypatch.setattr(metadata, "metadata", {"emclassify": message}.__getitem__)

    return give


def links(estimator):
    """Return the addresses that the HTML of an estimator links to."""
    return set(re.findall(r'href="(http[^"#]*)', estimator._repr_html_()))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return the names of the pages of the API reference."""
    folder = tmp_path_factory.mktemp("api") / "generated"
    write(folder)
    return {path.stem for path in folder.glob("*.rst")}


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_to_its_page(estimator, pages, project_urls):
    project_urls("Source, https://example.org", f"Documentation, {ADDRESS}")
    link = estimator._get_doc_link()
    assert link in links(estimator)
    folder, _, page = link.rpartition("/")
    assert folder == f"{ADDRESS}/api/generated"
    assert page.removesuffix(".html") in pages
    assert page.endswith(f".{type(estimator).__name__}.html")


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("urls", [(), ("Source, https://example.org",)])
def test_none_without_an_address(estimator, urls, project_urls):
    project_urls(*urls)
    assert estimator._get_doc_link() == ""
    page = re.escape(type(estimator).__name__) + r"\.html"
    assert not [link for link in links(estimator) if re.search(page, link)]


def test_a_slash_at_the_end_and_the_case_of_the_label(project_urls):
    project_urls(f"documentation, {ADDRESS}/")
    page = "emclassify.sampling.ImageOverSampler.html"
    assert ImageOverSampler()._get_doc_link() == f"{ADDRESS}/api/generated/{page}"


def test_not_installed(monkeypatch):
    def not_found(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "metadata", not_found)
    assert LipNetClassifier()._get_doc_link() == ""


def test_classes_of_others_keep_theirs(project_urls):
    project_urls(f"Documentation, {ADDRESS}")

    class Mine(LipNetClassifier):
        pass

    assert Mine()._get_doc_link() == ""
    ours = {link for link in links(svm_baseline()) if link.startswith(ADDRESS)}
    assert len(ours) == 2  # the features and the scaler
    svc = svm_baseline()["svc"]._get_doc_link()
    assert svc.startswith("https://scikit-learn.org/")
