"""Addresses of the sandbox: the vendor's, the control API and the journal."""

from django.urls import include, path, re_path

from sandbox.faults.refusals import MOVED
from sandbox.views import api, control, journal

vendor = [
    re_path(r"^v3/numbers/?$", api.numbers),
    re_path(r"^v3/numbers/(?P<number>[^/]+)/?$", api.number),
    re_path(r"^v2/get/accounts/?$", api.accounts),
]
urlpatterns = [
    *vendor,
    path(MOVED, include(vendor)),
    path("control/faults/", control.faults),
    path("control/reset/", control.reset),
    path("control/take/", control.take),
    path("journal.json", journal.journal),
    path("sandbox.css", journal.stylesheet),
    path("", journal.page),
]

handler404 = "sandbox.answers.not_found"
handler500 = "sandbox.answers.server_error"
