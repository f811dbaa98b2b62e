/** Version of the protocol between client and server. Increase it when one side could misunderstand the other. */
export const CONTROL_VERSION = 1;
