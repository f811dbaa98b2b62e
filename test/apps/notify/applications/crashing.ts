/** The notification service, with a way to kill all its threads at once. */
import notify, { start, stop } from '../../../../apps/notify/app.ts';

const channel = new BroadcastChannel(`crash ${process.env.SLUICE_NOTIFY_FILE}`);
channel.onmessage = () => process.exit(1);
(channel as unknown as { unref(): void }).unref();

export { start, stop };
export default notify;
