// The far end of the call: a real WebRTC stack in Node that says again what it
// heard, some seconds later. Like a vendor's service it is not traced.

import { MediaStreamTrack, RTCPeerConnection, type RtpPacket } from 'werift';

/** Calls that nobody hangs up are not kept for ever. */
const CALLS_MAX = 16;

export class Parrot {
  readonly #delayMs: number;
  readonly #calls: RTCPeerConnection[] = [];

  /** @param delayMs How long it thinks before it speaks. */
  constructor(delayMs: number) {
    this.#delayMs = delayMs;
  }

  /** Takes a call; the SDP of the answer, with all candidates. Rejects what is no offer. */
  async answer(offer: string): Promise<string> {
    const peer = new RTCPeerConnection({ iceServers: [] });
    this.#calls.push(peer);
    if (this.#calls.length > CALLS_MAX) await this.#calls.shift()?.close();
    const voice = new MediaStreamTrack({ kind: 'audio' });
    peer.onTrack.subscribe(track =>
      track.onReceiveRtp.subscribe(packet => this.#repeat(packet, voice)),
    );
    await peer.setRemoteDescription({ type: 'offer', sdp: offer });
    const [transceiver] = peer.getTransceivers();
    if (transceiver === undefined) throw new Error('the offer has no audio');
    await transceiver.sender.replaceTrack(voice);
    transceiver.setDirection('sendrecv');
    await peer.setLocalDescription(await peer.createAnswer());
    return peer.localDescription?.sdp ?? '';
  }

  async close(): Promise<void> {
    await Promise.all(this.#calls.splice(0).map(peer => peer.close()));
  }

  #repeat(packet: RtpPacket, voice: MediaStreamTrack): void {
    const copy = packet.clone();
    // Its extensions belong to the leg it came on.
    copy.header.extensions = [];
    setTimeout(() => voice.writeRtp(copy), this.#delayMs);
  }
}
