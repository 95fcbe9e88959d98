"""Django's administration for superusers, entered through the portal's own sign-in."""

from functools import update_wrapper
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


class PortalAdminSite(AdminSite):
    """Superusers only. A sign-in page of its own would be a side door past lock-outs and second factors."""

    site_header = site_title = "Numbers portal administration"

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Refuse others at the page that they asked for: the security log names it."""
        admitted = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            self._refuse_others(request)
            response: HttpResponse = admitted(request, *args, **kwargs)
            return response

        return update_wrapper(guarded, admitted)

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        # Who is not signed in was sent to the portal's own sign-in before this.
        self._refuse_others(request)
        return redirect("admin:index")

    def password_change(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> Any:
        """The portal's own page, which tells the person by mail and notes it in the security log."""
        return redirect("account_change_password")

    def _refuse_others(self, request: HttpRequest) -> None:
        if not self.has_permission(request):
            raise PermissionDenied("Only administrators with superuser rights may come in here.")
