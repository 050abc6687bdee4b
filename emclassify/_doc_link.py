"""From an estimator's HTML to its page in the API reference."""

from importlib import metadata

__all__ = ["DocLinkMixin"]


class DocLinkMixin:
    """Links scikit-learn's HTML of an estimator to our pages; before `BaseEstimator`.

    The address is the project URL "Documentation" in the metadata of the installed
    package. Without one there is no link.
    """

    _doc_link_module = "emclassify"

    @property
    def _doc_link_template(self) -> str:
        address = _address()
        # docs/api_reference.py names the pages.
        page = "/api/generated/emclassify.{room}.{name}.html"
        return address.rstrip("/") + page if address else ""

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        room = type(self).__module__.split(".")[1]
        return {"room": room, "name": type(self).__name__}


def _address() -> str | None:
    """Return where the documentation is, or None if the metadata doesn't say."""
    try:
        urls = metadata.metadata("emclassify").get_all("Project-URL", [])
    except metadata.PackageNotFoundError:
        # From a checkout that is not installed.
        return None
    for url in urls:
        label, _, address = url.partition(",")
        if label.strip().lower() == "documentation":
            return address.strip() or None
    return None
