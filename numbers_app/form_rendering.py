"""How forms are drawn: one field template, with classes put on every widget here."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

CHOICE_INPUTS = ("checkbox", "radio")


class DateInput(forms.DateInput):
    """The browser's own date picker; its value on the wire is an ISO date."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class MomentInput(forms.DateTimeInput):
    """The browser's own picker of date and time; its value on the wire is ISO without a zone."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": "w-medium", **(attrs or {})}, format="%Y-%m-%dT%H:%M")


class PhoneInput(forms.TextInput):
    """A telephone number: brings up the number pad, and is not filled with the reader's own number."""

    input_type = "tel"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"autocomplete": "off", **(attrs or {})})


def widget_class(widget: forms.Widget) -> str:
    """The stylesheet's class for a widget; empty for what is not seen."""
    if widget.is_hidden:
        return ""
    if isinstance(widget, forms.CheckboxInput) or getattr(widget, "input_type", "") in CHOICE_INPUTS:
        return "form-check-input"
    if isinstance(widget, forms.Select):
        return "form-select"
    return "form-control"


class PortalBoundField(BoundField):
    """A field of a form with its classes, and what the field template needs to know."""

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        drawn = widget or self.field.widget
        built = super().build_widget_attrs(attrs, widget)
        marked = "is-invalid" if self.errors and not drawn.is_hidden else ""
        # Attributes given here replace the widget's own, so its class is repeated.
        classes = [drawn.attrs.get("class", ""), attrs.get("class", ""), widget_class(drawn), marked]
        if joined := " ".join(filter(None, classes)):
            built["class"] = joined
        if getattr(drawn, "input_type", "") == "radio":
            # A radio button has no such state; its fieldset is described by the error.
            built.pop("aria-invalid", None)
        return built

    @property
    def optional_marker(self) -> bool:
        """Whether to say "(optional)": only where other fields of the form are required, else it is noise."""
        return not self.field.required and any(field.required for field in self.form.fields.values())

    @property
    def is_single_checkbox(self) -> bool:
        return isinstance(self.field.widget, forms.CheckboxInput)

    @property
    def focus_id(self) -> str:
        """The id of the control that a link in the error summary leads to: of a group, its first choice."""
        return self.id_for_label or f"{self.auto_id}_0"


class PortalFormRenderer(TemplatesSetting):
    """Django's forms with the project's templates and Bootstrap's classes.

    Inputs and selects are drawn here, as Django's templates draw them. Those go through three templates for an input
    and one more for every option, which was a quarter of the search page's time.
    """

    bound_field_class = PortalBoundField

    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> str:
        draw = _DRAWN.get(template_name)
        return draw(context["widget"]) if draw else super().render(template_name, context, request)


def _input(widget: dict[str, Any]) -> SafeString:
    value = "" if widget["value"] is None else f' value="{conditional_escape(widget["value"])}"'
    return mark_safe(  # noqa: S308
        f'<input type="{widget["type"]}" name="{conditional_escape(widget["name"])}"{value}{_attributes(widget)}>'
    )


def _select(widget: dict[str, Any]) -> SafeString:
    groups = "".join(
        f'<optgroup label="{conditional_escape(label)}">{_options(options)}</optgroup>' if label else _options(options)
        for label, options, _ in widget["optgroups"]
    )
    return mark_safe(  # noqa: S308
        f'<select name="{conditional_escape(widget["name"])}"{_attributes(widget)}>{groups}</select>'
    )


def _options(options: list[dict[str, Any]]) -> str:
    return "".join(
        f'<option value="{conditional_escape(option["value"])}"{" selected" if option["selected"] else ""}>'
        f"{conditional_escape(option['label'])}</option>"
        for option in options
    )


def _attributes(widget: dict[str, Any]) -> str:
    given = [(name, value) for name, value in widget["attrs"].items() if value is not False]
    return "".join(f" {name}" if value is True else f' {name}="{conditional_escape(value)}"' for name, value in given)


_INPUTS = ("checkbox", "date", "datetime", "email", "hidden", "number", "password", "text", "url")
_DRAWN: dict[str, Callable[[dict[str, Any]], SafeString]] = {
    **{f"django/forms/widgets/{name}.html": _input for name in _INPUTS},
    "django/forms/widgets/select.html": _select,
}
