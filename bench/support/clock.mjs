/** Milliseconds of a clock that never jumps and that all processes of the machine share. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;
