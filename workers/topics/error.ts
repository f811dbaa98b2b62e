/** The errors of topics. Invalid messages have the same codes as those of actors. */

export const TopicErrorCode = {
  /** The configuration has neither topics nor actors. */
  Unavailable: 'SLUICE_TOPIC_UNAVAILABLE',
  /** A topic's name is a well-formed string of 1 to 256 characters. */
  NameInvalid: 'SLUICE_TOPIC_NAME_INVALID',
  /** An option of a subscription. */
  OptionInvalid: 'SLUICE_TOPIC_OPTION_INVALID',
  /** The limit for topics or subscriptions is reached, or this thread publishes faster than its messages can be sent. */
  Overloaded: 'SLUICE_TOPIC_OVERLOADED',
  /** A subscription with `close` has lost a message and is closed. */
  Missed: 'SLUICE_TOPIC_MISSED',
  /** This thread is stopping. */
  Stopped: 'SLUICE_TOPIC_STOPPED',
  /** The message is not plain data; the error's text names the path of the offending value. */
  MessageInvalid: 'SLUICE_MESSAGE_INVALID',
  /** The message has more bytes than `maxMessageBytes`. */
  MessageTooLarge: 'SLUICE_MESSAGE_TOO_LARGE',
} as const;
export type TopicErrorCode = (typeof TopicErrorCode)[keyof typeof TopicErrorCode];

export class TopicError extends Error {
  override readonly name = 'TopicError';
  readonly code: TopicErrorCode;
  /** No subscriber has received anything, and a later attempt may succeed. */
  readonly retryable: boolean;

  constructor(code: TopicErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryable = code === TopicErrorCode.Overloaded;
  }
}
