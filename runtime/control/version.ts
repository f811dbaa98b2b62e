/** Of what client and server say to each other. Raised whenever one could misunderstand the other. */
export const CONTROL_VERSION = 1;
