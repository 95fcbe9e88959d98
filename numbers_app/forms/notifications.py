"""What was read, and whether mails are wanted."""

from django import forms


class MailForm(forms.Form):
    """The button sends what it says, on or off, so that pressing it twice changes nothing."""

    wanted = forms.TypedChoiceField(
        choices=[("on", "On"), ("off", "Off")],
        coerce=lambda word: word == "on",
        widget=forms.HiddenInput,
        error_messages={
            "required": "Say whether mails are to be on or off: press the button again.",
            "invalid_choice": "Mails can be on or off, nothing else: press the button again.",
        },
    )


class ReadAllForm(forms.Form):
    """The newest notification that the reader could have seen."""

    up_to = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
