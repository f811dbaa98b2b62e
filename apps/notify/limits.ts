/** How much one server keeps for strangers: everything is bounded, and each bound has its reason. */

/** RFC 8030 section 7.2 requires every push service to accept this much, and lets it refuse more. */
export const MAX_MESSAGE_BYTES = 4_096;
/**
 * A user agent that was away for long does not need everything it missed. With the size above, at most 4 MiB.
 */
export const MAX_MESSAGES_PER_SUBSCRIPTION = 1_024;
/** For all subscriptions together: 256 MiB with the size above, which bounds the file. */
export const MAX_MESSAGES = 65_536;
/** Any client may subscribe. */
export const MAX_SUBSCRIPTIONS = 10_000;
/**
 * A receipt that is never fetched is dropped with its subscription; until then at most this many are kept.
 */
export const MAX_RECEIPTS = 4_096;
/** A longer TTL is reduced to this, and the response says so (section 5.2). */
export const MAX_TTL_S = 7 * 24 * 3600;
/** A subscription that is not monitored ends; monitoring renews it. */
export const SUBSCRIPTION_S = 30 * 24 * 3600;
/** How long a message with TTL 0 is kept for the current monitor to acknowledge. */
export const TRANSIENT_S = 60;
/** Promised responses of one monitoring exchange at once, if the peer accepts as many. */
export const MAX_PUSHES_AT_ONCE = 32;
export const SWEEP_INTERVAL_MS = 10_000;
export const RENEW_INTERVAL_MS = 3_600_000;
/** If a peer accepts no promise although none is open, the next try comes after this time. */
export const PUSH_RETRY_MS = 1_000;
/** How long a sender is asked to wait when something is full. */
export const RETRY_AFTER_S = 60;
