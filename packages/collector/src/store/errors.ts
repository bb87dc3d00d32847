// What the world can do to stored data, as named errors whose text says what to do.

/** Base of all: `code` is stable, `isRetryable` says that the same request may succeed later. */
export class StoreError extends Error {
  override readonly name: string = 'StoreError';
  readonly code: string;
  readonly isRetryable: boolean;

  constructor(
    code: string,
    message: string,
    options: { cause?: unknown; isRetryable?: boolean } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.isRetryable = options.isRetryable ?? false;
  }
}

/** The file was written by a newer collector than this one. */
export class SchemaTooNewError extends StoreError {
  override readonly name = 'SchemaTooNewError';
  readonly path: string;
  readonly fileVersion: number;
  readonly codeVersion: number;

  constructor(path: string, fileVersion: number, codeVersion: number) {
    super(
      'schema_too_new',
      `${path} has schema ${fileVersion}; this collector knows up to ${codeVersion}. ` +
        `Upgrade it, or give --data another folder.`,
    );
    this.path = path;
    this.fileVersion = fileVersion;
    this.codeVersion = codeVersion;
  }
}

/** A file stands where ours should, and it is not ours. */
export class ForeignFileError extends StoreError {
  override readonly name = 'ForeignFileError';
  readonly path: string;

  constructor(path: string, cause?: unknown) {
    super(
      'foreign_file',
      `${path} is not a file of Framescope. It is left as it is; move it away, or give --data another folder.`,
      { cause },
    );
    this.path = path;
  }
}

/** A file of ours that is cut short or damaged. Refused, not "repaired" into data loss. */
export class TornFileError extends StoreError {
  override readonly name = 'TornFileError';
  readonly path: string;

  constructor(path: string, what: string, cause?: unknown) {
    super(
      'torn_file',
      `${path} is damaged (${what}). It is left as it is; restore it from a backup, or move it away ` +
        `to go on without the data in it.`,
      { cause },
    );
    this.path = path;
  }
}

/** Another collector writes to the same folder. */
export class DataInUseError extends StoreError {
  override readonly name = 'DataInUseError';
  readonly path: string;

  constructor(path: string, cause?: unknown) {
    super(
      'data_in_use',
      `${path} is in use by another collector. Stop that one, or give --data another folder.`,
      { cause },
    );
    this.path = path;
  }
}

/** No room, or a disk that does not answer. Writing may work again later; nothing was kept. */
export class DiskError extends StoreError {
  override readonly name = 'DiskError';

  constructor(path: string, cause: Error) {
    super(
      'disk',
      `cannot write to ${path}: ${cause.message}. Free space; writing goes on by itself.`,
      {
        cause,
        isRetryable: true,
      },
    );
  }
}
