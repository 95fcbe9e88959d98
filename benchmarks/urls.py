"""The portal's addresses and the floor that its pages are compared to."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from portal.urls import handler400, handler403, handler404, handler500
from portal.urls import urlpatterns as portal_urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def floor(request: HttpRequest) -> HttpResponse:
    """An empty signed-in page: session, person, frame."""
    return render(request, "base.html")


urlpatterns = [*portal_urlpatterns, path("floor/", floor)]
