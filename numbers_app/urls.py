"""The domain's addresses. They are stable: people bookmark them and other tools link to them."""

from typing import Any

from django.urls import path, register_converter

from .views import (
    campaigns,
    decisions,
    destinations,
    exports,
    history,
    home,
    inventory,
    notifications,
    orders,
    reports,
    samples,
    saved_views,
    search,
    security,
    switch,
    tray,
)


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
    path("search/wider/", search.wider, name="search_wider"),
    path("search/tray/", tray.change, name="search_tray"),
    path("orders/", orders.orders, name="order_list"),
    path("orders/new/", orders.order_new, name="order_new"),
    path("orders/upcoming/", orders.upcoming, name="order_upcoming"),
    path("orders/unknown/", orders.unknown, name="order_unknown"),
    path("orders/destination/", destinations.destination_hints, name="destination_hints"),
    path("orders/approve/", decisions.approve_several, name="order_approve_several"),
    path("orders/approved/", decisions.just_approved, name="order_just_approved"),
    path("orders/<int:order_id>/", orders.order_detail, name="order_detail"),
    path("orders/<int:order_id>/amend/", orders.order_amend_page, name="order_amend"),
    path("orders/<int:order_id>/availability/", decisions.availability, name="order_availability"),
    path("orders/<int:order_id>/approve/", decisions.approve, name="order_approve"),
    path("orders/<int:order_id>/undo/", decisions.undo_approval, name="order_undo_approval"),
    path("orders/<int:order_id>/reject/", decisions.reject, name="order_reject"),
    path("orders/<int:order_id>/cancel/", decisions.cancel, name="order_cancel"),
    path("orders/<int:order_id>/comment/", decisions.comment, name="order_comment"),
    path("orders/<int:order_id>/urgent/", decisions.mark_urgent, name="order_mark_urgent"),
    path("orders/<int:order_id>/settle/", decisions.settle, name="order_settle"),
    path("sending/", switch.switch, name="sending_switch"),
    path("sending/pause/", switch.pause, name="sending_pause"),
    path("sending/resume/", switch.resume, name="sending_resume"),
    path("numbers/", inventory.inventory, name="campaign_list"),
    path("numbers/<ten_digits:number>/", campaigns.campaign_detail, name="campaign_detail"),
    path("numbers/<ten_digits:number>/change/", campaigns.campaign_change, name="campaign_change"),
    path("history/", history.history, name="history_list"),
    path("history/export/", exports.export, name="history_export"),
    path("history/evidence/", exports.evidence, name="history_evidence"),
    path("history/as-of/", history.as_of, name="history_as_of"),
    path("history/<int:sequence>/", history.entry, name="history_entry"),
    path("history/reports/", reports.reports, name="history_reports"),
    path("history/samples/", samples.samples, name="sample_list"),
    path("history/samples/draw/", samples.draw, name="sample_draw"),
    path("history/samples/<int:sample_id>/", samples.sample_detail, name="sample_detail"),
    path("history/samples/<int:sample_id>/entries/<int:sequence>/sign/", samples.sign, name="sample_sign"),
    path("security/", security.security, name="security_list"),
    path("views/save/", saved_views.save, name="view_save"),
    path("views/<int:view_id>/delete/", saved_views.delete, name="view_delete"),
    path("views/<int:view_id>/share/", saved_views.set_shared, name="view_set_shared"),
    path("views/<int:view_id>/default/", saved_views.set_default, name="view_set_default"),
    path("views/<int:view_id>/watch/", saved_views.watch, name="view_watch"),
    path("views/<int:view_id>/unwatch/", saved_views.unwatch, name="view_unwatch"),
    path("views/<int:view_id>/seen/", saved_views.seen, name="view_seen"),
    path("notifications/", notifications.notifications, name="notification_list"),
    path("notifications/count/", notifications.count, name="notification_count"),
    path("notifications/read/", notifications.read_all, name="notification_read_all"),
    path("notifications/mail/", notifications.mail_setting, name="notification_mail_setting"),
    path("orders/<int:order_id>/seen/", notifications.seen, name="order_seen"),
]
