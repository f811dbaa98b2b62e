/** By what a command tells the server that it starts. */
export const directoryVariable = 'SLUICE_CLINIC_DIRECTORY';
/** Where the server says which process it is: clinic stands between. */
export const pidFileVariable = 'SLUICE_CLINIC_PID_FILE';
