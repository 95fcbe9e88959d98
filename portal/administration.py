"""Django's administration for superusers, entered through the portal's own sign-in."""

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


class PortalAdminSite(AdminSite):
    """Superusers only. A sign-in page of its own would be a side door past lock-outs and second factors."""

    site_header = site_title = "Numbers portal administration"

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        # Who is not signed in was sent to the portal's own sign-in before this.
        if self.has_permission(request):
            return redirect("admin:index")
        raise PermissionDenied("Only administrators with superuser rights may come in here.")
