"""How a field is drawn: label, help, error and control belong together for everybody."""

from django import forms

from numbers_app.form_rendering import DateInput, PhoneInput


class Everything(forms.Form):
    destination = forms.CharField(help_text="Where it rings.", widget=PhoneInput(attrs={"class": "w-phone"}))
    stop_date = forms.DateField(required=False, widget=DateInput)
    account = forms.ChoiceField(choices=[("L-3", "Wichita")], required=False)
    evaluation = forms.ChoiceField(choices=[("off", "Off"), ("realtime", "Real time")], widget=forms.RadioSelect)
    recording = forms.BooleanField(required=False)
    token = forms.CharField(widget=forms.HiddenInput, required=False)


class Filters(forms.Form):
    city = forms.CharField(required=False)


def test_an_invalid_field_is_described_by_its_help_and_its_error() -> None:
    html = Everything({})["destination"].as_field_group()
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_destination_helptext id_destination_error"' in html
    assert 'id="id_destination_helptext"' in html
    assert 'id="id_destination_error"' in html
    assert 'class="w-phone form-control is-invalid"' in html
    assert 'type="tel"' in html


def test_each_widget_has_its_class() -> None:
    form = Everything()
    assert 'class="form-select"' in str(form["account"])
    assert 'class="form-check-input"' in str(form["recording"])
    assert 'type="date"' in str(form["stop_date"])
    assert "class=" not in str(form["token"])


def test_choices_are_a_fieldset_whose_error_link_leads_to_the_first() -> None:
    bound = Everything({})["evaluation"]
    html = bound.as_field_group()
    assert "<fieldset" in html
    assert 'aria-describedby="id_evaluation_error"' in html
    assert 'aria-invalid="true"' not in html
    assert bound.focus_id == "id_evaluation_0"  # type: ignore[attr-defined]
    assert 'id="id_evaluation_0"' in html


def test_optional_is_said_only_beside_required_fields() -> None:
    assert "(optional)" in Everything()["stop_date"].as_field_group()
    assert "(optional)" not in Everything()["destination"].as_field_group()
    assert "(optional)" not in Filters()["city"].as_field_group()


def test_a_whole_form_draws_every_field_once() -> None:
    html = str(Everything())
    assert html.count('name="destination"') == 1
    assert html.count('name="token"') == 1


def test_the_typed_text_is_kept() -> None:
    assert 'value="tomorrow"' in str(Everything({"stop_date": "tomorrow"})["stop_date"])
