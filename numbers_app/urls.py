"""The domain's addresses. They are stable: people bookmark them and other tools link to them."""

from typing import Any

from django.urls import path, register_converter

from .views import (
    batch_drafts,
    batches,
    campaigns,
    confirmation,
    decisions,
    destinations,
    exports,
    history,
    home,
    inventory,
    locations,
    media_types,
    notifications,
    orders,
    reports,
    samples,
    saved_views,
    search,
    security,
    stopping,
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
    path("numbers/export/", exports.inventory, name="inventory_export"),
    path("numbers/first-steps/", inventory.first_steps, name="inventory_first_steps"),
    path("numbers/complete/", inventory.declare_complete, name="inventory_complete"),
    path("numbers/incomplete/", inventory.declare_incomplete, name="inventory_incomplete"),
    path("numbers/media-types/", media_types.media_type_list, name="media_type_list"),
    path("numbers/media-types/name/", media_types.name, name="media_type_name"),
    path("numbers/media-types/<int:number>/remove/", media_types.unname, name="media_type_unname"),
    path("numbers/stopping/", stopping.stopping, name="campaign_stopping"),
    path("numbers/stopping/extend/", stopping.extend_several, name="campaign_extend_several"),
    path("numbers/<ten_digits:number>/extend/", stopping.extend, name="campaign_extend"),
    path("numbers/<ten_digits:number>/seen/", stopping.seen, name="campaign_seen"),
    path("locations/", locations.locations, name="location_list"),
    path("locations/sync/", locations.sync, name="location_sync"),
    path("locations/<slug:key>/zone/", locations.zone, name="location_zone"),
    path("numbers/<ten_digits:number>/", campaigns.campaign_detail, name="campaign_detail"),
    path("numbers/<ten_digits:number>/change/", campaigns.campaign_change, name="campaign_change"),
    path("numbers/<ten_digits:number>/confirm/", confirmation.campaign_confirm, name="campaign_confirm"),
    path("numbers/<ten_digits:number>/reapply/", confirmation.campaign_reapply, name="campaign_reapply"),
    path("numbers/disputes/", confirmation.campaign_disputes, name="campaign_disputes"),
    path("numbers/<ten_digits:number>/dispute/", confirmation.campaign_dispute, name="campaign_settle_dispute"),
    path("batches/", batches.batches, name="batch_list"),
    path("batches/<int:batch_id>/", batches.batch_detail, name="batch_detail"),
    path("batches/<int:batch_id>/submit/", batches.submit, name="batch_submit"),
    path("batches/<int:batch_id>/approve/", batches.approve, name="batch_approve"),
    path("batches/<int:batch_id>/reject/", batches.reject, name="batch_reject"),
    path("batches/<int:batch_id>/pause/", batches.pause, name="batch_pause"),
    path("batches/<int:batch_id>/resume/", batches.resume, name="batch_resume"),
    path("batches/<int:batch_id>/cancel/", batches.cancel, name="batch_cancel"),
    path("batches/<int:batch_id>/retry/", batches.retry, name="batch_retry"),
    path("batches/<int:batch_id>/results.csv", batches.results, name="batch_results"),
    path("batches/<int:batch_id>/seen/", batches.seen, name="batch_seen"),
    path("batches/new/", batch_drafts.batch_new, name="batch_new"),
    path("batches/template/<slug:kind>.csv", batch_drafts.batch_template, name="batch_template"),
    path("batches/select/", batch_drafts.batch_select, name="batch_select"),
    path("batches/<int:batch_id>/preview/", batch_drafts.batch_preview, name="batch_preview"),
    path("batches/<int:batch_id>/refused.csv", batch_drafts.batch_refused, name="batch_refused"),
    path("batches/<int:batch_id>/discard/", batch_drafts.discard, name="batch_discard"),
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
