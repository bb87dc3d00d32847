// The collector as a library: what the `framescope` command and tests start.

export {
  startCollector,
  PortInUseError,
  RemoteBindError,
  type Collector,
  type CollectorOptions,
} from './collector.ts';
export {
  DataInUseError,
  DiskError,
  ForeignFileError,
  SchemaTooNewError,
  StoreError,
  TornFileError,
} from './store/errors.ts';
export { VERSION } from './version.ts';
