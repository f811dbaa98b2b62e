/** What one server keeps for strangers: everything is bounded, each bound with its reason. */

/** RFC 8030 section 7.2 has every push service take this much, and lets it refuse more. */
export const MAX_MESSAGE_BYTES = 4_096;
/** A user agent that was away for long does not need all it missed; with the size above, 4 MiB at most. */
export const MAX_MESSAGES_PER_SUBSCRIPTION = 1_024;
/** Of all subscriptions together: 256 MiB with the size above, which bounds the file. */
export const MAX_MESSAGES = 65_536;
/** Anybody may subscribe. */
export const MAX_SUBSCRIPTIONS = 10_000;
/** A receipt nobody fetches is dropped with its subscription; until then, no more than this. */
export const MAX_RECEIPTS = 4_096;
/** Longer wishes are cut to this and the answer says so (section 5.2). */
export const MAX_TTL_S = 7 * 24 * 3600;
/** A subscription nobody monitors ends; monitoring renews it. */
export const SUBSCRIPTION_S = 30 * 24 * 3600;
/** How long a message with TTL 0 stays for the user agent that monitors now to acknowledge. */
export const TRANSIENT_S = 60;
/** Promised responses of one monitoring exchange at once, if the peer takes as many. */
export const MAX_PUSHES_AT_ONCE = 32;
export const SWEEP_INTERVAL_MS = 10_000;
export const RENEW_INTERVAL_MS = 3_600_000;
/** A peer that takes no promise now, though it has none of ours, is asked again after this long. */
export const PUSH_RETRY_MS = 1_000;
/** What a sender is told to wait when something is full. */
export const RETRY_AFTER_S = 60;
