// A caller in a browser: microphone up, whatever the far end sends down to the
// loudspeaker. The lines marked `trace` are all that Framescope takes.

import { Framescope } from '@framescope/instrument'; // trace
import { tracePeerConnection } from '@framescope/instrument/webrtc'; // trace

const asked = new URLSearchParams(location.search);
const callId = asked.get('call') ?? `web-${crypto.randomUUID()}`;
const collector = asked.get('collector') ?? 'http://127.0.0.1:4318';

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const say = (text: string): void => void (element('status').textContent = text);

async function call(): Promise<void> {
  say('calling …');
  const peer = new RTCPeerConnection();
  const scope = new Framescope({ serviceName: 'web-page', role: 'client', endpoint: collector }); // trace
  const session = scope.startSession({ id: callId }); // trace
  tracePeerConnection(peer, { session }); // trace
  peer.addEventListener('track', ({ track }) => {
    element<HTMLAudioElement>('far').srcObject = new MediaStream([track]);
  });
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
  for (const track of microphone.getTracks()) peer.addTrack(track, microphone);
  await connect(peer);
  const inCall = (): void => say(`in call ${callId}: say something, and hear it again`);
  inCall();
  peer.addEventListener('connectionstatechange', () => {
    if (peer.connectionState === 'connected') inCall();
    if (peer.connectionState === 'disconnected') say('the connection is lost; it may come back');
  });
  element('hang-up').addEventListener('click', () => {
    for (const track of microphone.getTracks()) track.stop();
    peer.close();
    say('the call has ended');
  });
}

/** Offer and answer over HTTP, each with all its candidates. */
async function connect(peer: RTCPeerConnection): Promise<void> {
  await peer.setLocalDescription(await peer.createOffer());
  await gathered(peer);
  const answer = await fetch('/offer', {
    method: 'POST',
    headers: { 'content-type': 'application/sdp' },
    body: peer.localDescription?.sdp ?? '',
  });
  if (!answer.ok) throw new Error(`the far end answered ${answer.status}`);
  await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
}

const gathered = (peer: RTCPeerConnection): Promise<void> =>
  new Promise(resolve => {
    const look = (): void => void (peer.iceGatheringState === 'complete' && resolve());
    peer.addEventListener('icegatheringstatechange', look);
    look();
  });

element('call').addEventListener('click', () => {
  call().catch((cause: unknown) => say(`no call: ${String(cause)}`));
});
