"""Every operation that changes how events and notices go out, as `operations` has them."""

from audit.operations import HOOK, SOMETHING, edited, gone, made
from audit.world import World

OF_MESSAGES = {
    "create_webhook_endpoint": made(
        "POST webhook-endpoints", "webhook_endpoint", body=HOOK, url=HOOK["url"], enabled=True
    ),
    "update_webhook_endpoint": edited(
        "PUT webhook-endpoints/{}",
        "webhook_endpoint",
        World.hook,
        body={"events": ["invoice.*"], "enabled": False},
        events=(["*"], ["invoice.*"]),
        enabled=(True, False),
        disabled_reason=("", "by_hand"),
    ),
    "delete_webhook_endpoint": gone(
        "DELETE webhook-endpoints/{}", "webhook_endpoint", World.hook, url=HOOK["url"]
    ),
    "rotate_webhook_secret": edited(
        "POST webhook-endpoints/{}/rotate-secret",
        "webhook_endpoint",
        World.hook,
        previous_secret_until=(None, SOMETHING),
    ),
    "test_webhook_endpoint": made(
        "POST webhook-endpoints/{}/test",
        "webhook_delivery",
        World.hook,
        event_type="webhook.test",
    ),
    "retry_webhook_delivery": edited(
        "POST webhook-delivery-logs/{}/retry",
        "webhook_delivery",
        World.waiting_hook,
        next_attempt_at=(SOMETHING, SOMETHING),
    ),
    "connect_whatsapp": made(
        "POST whatsapp/connect",
        "whatsapp_connection",
        body=World.number,
        phone_number_id="106540352242922",
    ),
    "disconnect_whatsapp": gone(
        "POST whatsapp/disconnect",
        "whatsapp_connection",
        World.connected_number,
        phone_number_id="106540352242922",
    ),
    "update_whatsapp_notification_settings": edited(
        "PUT whatsapp/notification-settings",
        "whatsapp_settings",
        body={"settings": {"receipt": True}},
        settings=SOMETHING,
    ),
    "send_whatsapp_test": made(
        "POST whatsapp/test",
        "whatsapp_message",
        body=lambda world: {"customer_id": world.reachable()},
        type="test",
    ),
}
