/** Environment variables through which a command controls the server that it starts. */
export const directoryVariable = 'SLUICE_CLINIC_DIRECTORY';
/** The file in which the server writes its process id, because clinic is in between. */
export const pidFileVariable = 'SLUICE_CLINIC_PID_FILE';
