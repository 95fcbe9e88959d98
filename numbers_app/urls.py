"""The domain's addresses. They are stable: people bookmark them and other tools link to them."""

from typing import Any

from django.urls import path, register_converter

from .views import campaigns, history, home, orders, search


class TenDigits:
    """A phone number in an address."""

    regex = "[2-9][0-9]{9}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: Any) -> str:
        return str(value)


register_converter(TenDigits, "ten_digits")

urlpatterns = [
    path("", home.home, name="home"),
    path("search/", search.search, name="search"),
    path("orders/", orders.orders, name="order_list"),
    path("orders/new/", orders.order_new, name="order_new"),
    path("orders/<int:order_id>/", orders.order_detail, name="order_detail"),
    path("orders/<int:order_id>/approve/", orders.approve, name="order_approve"),
    path("orders/<int:order_id>/reject/", orders.reject, name="order_reject"),
    path("orders/<int:order_id>/cancel/", orders.cancel, name="order_cancel"),
    path("numbers/", campaigns.campaigns, name="campaign_list"),
    path("numbers/<ten_digits:number>/", campaigns.campaign_detail, name="campaign_detail"),
    path("numbers/<ten_digits:number>/change/", campaigns.campaign_change, name="campaign_change"),
    path("history/", history.history, name="history_list"),
]
