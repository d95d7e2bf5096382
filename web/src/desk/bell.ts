// The sound of a ringing call, made here: no file to load, and it stops in the moment the ring stops.

export class Bell {
  private context: AudioContext | undefined;
  private gain: GainNode | undefined;
  private tones: readonly OscillatorNode[] = [];
  private timer: number | undefined;
  ringing = false;

  /** `blocked`: the browser plays nothing before the page was clicked once. */
  constructor(private readonly blocked: (is: boolean) => void) {}

  set(on: boolean): void {
    if (on === this.ringing) return;
    this.ringing = on;
    try {
      if (on) this.begin();
      else this.end();
    } catch {
      // A computer without sound: the call is shown all the same.
    }
  }

  private begin(): void {
    const context = (this.context ??= new AudioContext());
    const tell = () => this.blocked(context.state === "suspended");
    if (context.state === "suspended") void context.resume().then(tell, tell);
    window.setTimeout(() => {
      if (this.ringing) tell();
    }, 300);
    const gain = (this.gain = context.createGain());
    gain.gain.value = 0;
    gain.connect(context.destination);
    this.tones = [440, 554].map((pitch) => {
      const tone = context.createOscillator();
      tone.frequency.value = pitch;
      tone.connect(gain);
      tone.start();
      return tone;
    });
    this.stroke();
    this.timer = window.setInterval(() => this.stroke(), 2500);
  }

  // One second of a soft double tone.
  private stroke(): void {
    if (!this.gain || !this.context) return;
    const at = this.context.currentTime;
    const volume = this.gain.gain;
    volume.cancelScheduledValues(at);
    volume.setValueAtTime(0, at);
    for (const begin of [0, 0.5]) {
      volume.linearRampToValueAtTime(0.12, at + begin + 0.03);
      volume.setValueAtTime(0.12, at + begin + 0.35);
      volume.linearRampToValueAtTime(0, at + begin + 0.45);
    }
  }

  private end(): void {
    window.clearInterval(this.timer);
    for (const tone of this.tones) tone.stop();
    this.gain?.disconnect();
    [this.gain, this.tones] = [undefined, []];
    this.blocked(false);
  }
}
