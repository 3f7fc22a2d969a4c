"""Reads pages the way a browser does: their elements, their attributes, their text."""

from html.parser import HTMLParser

UNSTEADY = ("value", "content", "data-copy", "datetime", "aria-label", "href", "hx-get", "action")
"""Attributes whose values differ between two pages about two things, by design."""
TIPS = ("tip", "tip-text")
"""Classes of what a page says of a term only when it is asked."""
HOSTILE = ("<script>alert(1)</script>", '" hx-get="/x" hx-trigger="load', "{{7*7}}{% raw %}")
"""Words that are an element, an attribute and a template where a page forgets to escape."""


class Reader(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.elements = []
        self.words = []
        self.in_tip = False

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.in_tip = dict(attrs).get("class") in TIPS

    def handle_endtag(self, tag):
        self.elements.append((f"/{tag}", {}))
        self.in_tip = False

    def handle_comment(self, data):
        self.elements.append(("comment", {"data": data}))

    def handle_data(self, data):
        if not self.in_tip:
            self.words.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


def shape(page):
    """Return the elements with their attributes, without values that differ by design."""
    return [
        (tag, [(name, None if name in UNSTEADY else value) for name, value in attrs.items()])
        for tag, attrs in read(page).elements
    ]


def texts(page, *, squeeze=True):
    """Return the text of a page, with single spaces."""
    words = read(page).words
    return " ".join(" ".join(words).split()) if squeeze else "\n".join(words)


def controls(page, tag="input", **attributes):
    """Return the attributes of the elements that have these attributes."""
    return [
        found
        for name, found in read(page).elements
        if name == tag and attributes.items() <= found.items()
    ]


def neighbour(page, rel):
    """Return where the link to the next or previous page of a list leads, or None."""
    return next((found["href"] for found in controls(page, "a", rel=rel)), None)


def row_names(page):
    """Return what the links of the rows of a list say, in its order."""
    return [texts(part.split("</a>")[0]) for part in page.split('class="row-link"')[1:]]
