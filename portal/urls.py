"""All addresses: the domain's own, sign-in, administration, and the probes of operations."""

from django.contrib import admin
from django.urls import include, path

from numbers_app.views.people import own_addresses
from portal.health import healthz, readyz

urlpatterns = [
    path("", include("numbers_app.urls")),
    path("accounts/email/", own_addresses, name="account_email"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]

handler400 = "numbers_app.views.errors.bad_request"
handler403 = "numbers_app.views.errors.forbidden"
handler404 = "numbers_app.views.errors.not_found"
# Django has no such handler; the sign-in library looks for it here.
handler429 = "numbers_app.views.errors.too_many_requests"
handler500 = "numbers_app.views.errors.server_error"
