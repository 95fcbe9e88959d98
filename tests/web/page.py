"""A page as its reader meets it: text, controls and what stands in them, errors at fields, links."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

VOID = {"input", "meta", "link", "br", "hr", "img"}


class Element:
    """An element with its attributes and what is in it."""

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Element | str] = []

    def __iter__(self) -> Iterator[Element]:
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child

    @property
    def text(self) -> str:
        """Everything readable, with each run of white space as one space."""
        parts = [child if isinstance(child, str) else child.text for child in self.children]
        return " ".join(" ".join(parts).split())

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements within, of that tag, that have these attributes (``class_`` for class, ``a_b`` for a-b)."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            element
            for element in self
            if element.tag == tag and all(element.attributes.get(name) == value for name, value in wanted.items())
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} of {tag} {attributes}"
        return found[0]


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if any(element.tag == tag for element in self.open[1:]):
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


class Page(Element):
    """The page of a response of Django's test client."""

    def __init__(self, response: Any) -> None:
        super().__init__("page", {})
        self.status = response.status_code
        self.html = response.content.decode()
        builder = _Builder()
        builder.feed(self.html)
        self.children = builder.root.children

    @property
    def heading(self) -> str:
        return self.one("h1").text

    @property
    def alerts(self) -> list[str]:
        """The messages at the top of the page."""
        return [found.text for found in self.one("div", id="messages").all("div", data_announce="")]

    def error_at(self, field: str) -> str:
        """The sentences at a field; empty when it has none."""
        return " ".join(found.text for found in self.all("div", id=f"id_{field}_error"))

    @property
    def summary(self) -> str:
        """The list of all errors at the top of a form."""
        return " ".join(found.text for found in self.all("div", class_="error-summary"))

    def values(self, field: str) -> list[str]:
        """What stands in the controls of that name."""
        return [value for element in self for value in _value(element, field)]

    def value(self, field: str) -> str:
        values = self.values(field)
        assert len(values) == 1, f"{field}: {values}"
        return values[0]

    def choices(self, field: str) -> list[str]:
        """The values that a select of that name offers."""
        return [option.attributes.get("value", "") for option in self.one("select", name=field).all("option")]

    def filled(self, form_action: str) -> dict[str, Any]:
        """What a browser would send with that form's first button: every control as it stands."""
        form = self.one("form", action=form_action)
        names = {element.attributes["name"] for element in form if element.attributes.get("name")}
        sent = {name: [value for element in form for value in _value(element, name)] for name in sorted(names)}
        return {name: values for name, values in sent.items() if values}

    def links(self, text: str) -> list[str]:
        """Where the links with this text lead."""
        return [link.attributes.get("href", "") for link in self.all("a") if text in link.text]


def _value(element: Element, name: str) -> list[str]:
    given = element.attributes
    if given.get("name") != name:
        return []
    if element.tag == "textarea":
        text = "".join(child for child in element.children if isinstance(child, str))
        return [text.removeprefix("\r\n").removeprefix("\n")]
    if element.tag == "select":
        options = element.all("option")
        chosen = [option for option in options if "selected" in option.attributes] or options[:1]
        return [option.attributes.get("value", "") for option in chosen]
    ticked = given.get("type") in ("checkbox", "radio")
    if element.tag != "input" or (ticked and "checked" not in given):
        return []
    return [given.get("value", "on" if ticked else "")]
