"""How forms are drawn: one field template, with classes put on every widget here."""

from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting

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
    """Django's forms with the project's templates and Bootstrap's classes."""

    bound_field_class = PortalBoundField
