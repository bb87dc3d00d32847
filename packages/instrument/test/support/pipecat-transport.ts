// A transport of the vendor's own kind, over which a Pipecat server's RTVI
// messages are played to the vendor's own client.

import {
  RTVIMessage,
  RTVI_PROTOCOL_VERSION,
  Transport,
  type PipecatClientOptions,
  type Tracks,
  type TransportState,
} from '@pipecat-ai/client-js';

const NO_DEVICE = {} as Record<string, never>;

export class PlayedTransport extends Transport {
  /** Types of what the client sent. */
  readonly sent: string[] = [];

  initialize(options: PipecatClientOptions, messageHandler: (message: RTVIMessage) => void): void {
    this._options = options;
    this._callbacks = options.callbacks ?? {};
    this._onMessage = messageHandler;
    this.state = 'disconnected';
  }

  /** A message of the server, as it comes over the wire. */
  says(type: string, data: unknown = {}): void {
    const message = { label: 'rtvi-ai', id: 'test', type, data };
    this._onMessage(JSON.parse(JSON.stringify(message)) as RTVIMessage);
  }

  sendReadyMessage(): void {
    this.state = 'ready';
    this.sendMessage(RTVIMessage.clientReady());
    this.says('bot-ready', { version: RTVI_PROTOCOL_VERSION, about: { library: 'pipecat' } });
  }

  sendMessage(message: RTVIMessage): void {
    this.sent.push(message.type);
  }

  _validateConnectionParams(params?: unknown): unknown {
    return params;
  }
  _connect(): Promise<void> {
    this.state = 'connecting';
    this.state = 'connected';
    this._callbacks.onConnected?.();
    return Promise.resolve();
  }
  _disconnect(): Promise<void> {
    this.state = 'disconnected';
    this._callbacks.onDisconnected?.();
    return Promise.resolve();
  }
  initDevices(): Promise<void> {
    this.state = 'initialized';
    return Promise.resolve();
  }
  get state(): TransportState {
    return this._state;
  }
  set state(state: TransportState) {
    this._state = state;
    this._callbacks.onTransportStateChanged?.(state);
  }
  getAllMics(): Promise<MediaDeviceInfo[]> {
    return Promise.resolve([]);
  }
  getAllCams(): Promise<MediaDeviceInfo[]> {
    return Promise.resolve([]);
  }
  getAllSpeakers(): Promise<MediaDeviceInfo[]> {
    return Promise.resolve([]);
  }
  updateMic(): void {}
  updateCam(): void {}
  updateSpeaker(): void {}
  enableMic(): void {}
  enableCam(): void {}
  enableScreenShare(): void {}
  readonly selectedMic = NO_DEVICE;
  readonly selectedCam = NO_DEVICE;
  readonly selectedSpeaker = NO_DEVICE;
  readonly isCamEnabled = false;
  readonly isMicEnabled = true;
  readonly isSharingScreen = false;
  tracks(): Tracks {
    return { local: {} };
  }
}
