/** The errors of topics. What a message may not contain is told by the codes of actors' messages. */

export const TopicErrorCode = {
  /** The configuration has neither topics nor actors. */
  Unavailable: 'SLUICE_TOPIC_UNAVAILABLE',
  /** A topic's name is a well-formed string of 1 to 256 characters. */
  NameInvalid: 'SLUICE_TOPIC_NAME_INVALID',
  /** An option of a subscription. */
  OptionInvalid: 'SLUICE_TOPIC_OPTION_INVALID',
  /** As many topics or subscriptions as there may be; or this thread publishes faster than its messages leave it. */
  Overloaded: 'SLUICE_TOPIC_OVERLOADED',
  /** The subscription was to close when it lost a message, and it has. */
  Missed: 'SLUICE_TOPIC_MISSED',
  /** This thread stops. */
  Stopped: 'SLUICE_TOPIC_STOPPED',
  /** The message is no plain data; the message of the error has the path to what is not. */
  MessageInvalid: 'SLUICE_MESSAGE_INVALID',
  /** The message has more bytes than `maxMessageBytes`. */
  MessageTooLarge: 'SLUICE_MESSAGE_TOO_LARGE',
} as const;
export type TopicErrorCode = (typeof TopicErrorCode)[keyof typeof TopicErrorCode];

export class TopicError extends Error {
  override readonly name = 'TopicError';
  readonly code: TopicErrorCode;
  /** Nobody has got anything of it, and a later try may succeed. */
  readonly retryable: boolean;

  constructor(code: TopicErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryable = code === TopicErrorCode.Overloaded;
  }
}
