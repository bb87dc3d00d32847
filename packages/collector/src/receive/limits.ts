// What the collector takes from one request, and how it says no.

/** As sent. OTLP exporters batch far below; the OTel Collector's own limit is 20 MiB. */
export const BODY_BYTES_MAX: number = 16 * 1024 * 1024;

/** After decompression: what a bomb may cost us. */
export const DECOMPRESSED_BYTES_MAX: number = 64 * 1024 * 1024;

/** Bodies being read or decompressed at a time; more are told to come again. */
export const READING_BYTES_MAX: number = 128 * 1024 * 1024;

export const RETRY_AFTER_SECONDS = 1;

/** After a full disk: room does not come back in a second. */
export const RETRY_AFTER_DISK_SECONDS = 5;
