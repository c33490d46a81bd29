// Sample files to send, created in the browser.

function draw(context, turn) {
  const { width, height } = context.canvas;
  const sky = context.createLinearGradient(0, 0, 0, height);
  sky.addColorStop(0, "#4f8ef7");
  sky.addColorStop(0.6, "#f9c58d");
  sky.addColorStop(1, "#f7866f");
  context.fillStyle = sky;
  context.fillRect(0, 0, width, height);
  context.fillStyle = "#fff3d6";
  context.beginPath();
  context.arc(width * (0.3 + 0.4 * turn), height * 0.42, height * 0.12, 0, 7);
  context.fill();
  for (const [base, swing, colour] of [[0.62, 0.1, "#5a6fb5"], [0.74, 0.07, "#3d4f8f"], [0.86, 0.05, "#26325f"]]) {
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(0, height);
    for (let x = 0; x <= width; x += 4) {
      context.lineTo(x, height * (base - swing * Math.sin(x / (width * 0.11) + base * 40)));
    }
    context.lineTo(width, height);
    context.fill();
  }
}

function makeCanvas(width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  draw(canvas.getContext("2d"), 0.5);
  return canvas;
}

export const makeImage = () =>
  new Promise((done) => makeCanvas(480, 320).toBlob((blob) => done(new File([blob], "sunset.png", { type: "image/png" }))));

export function makeVoice() {
  const rate = 8000;
  const samples = Int16Array.from({ length: rate * 2 }, (_, at) => {
    const time = at / rate;
    const envelope = Math.exp(-3 * (time % 0.5));
    return 9000 * envelope * Math.sin(2 * Math.PI * [523, 659, 784, 1047][Math.floor(time * 2)] * time);
  });
  const header = new DataView(new ArrayBuffer(44));
  const write = (at, text) => [...text].forEach((one, i) => header.setUint8(at + i, one.charCodeAt(0)));
  write(0, "RIFF");
  header.setUint32(4, 36 + samples.byteLength, true);
  write(8, "WAVEfmt ");
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true);
  header.setUint16(22, 1, true);
  header.setUint32(24, rate, true);
  header.setUint32(28, rate * 2, true);
  header.setUint16(32, 2, true);
  header.setUint16(34, 16, true);
  write(36, "data");
  header.setUint32(40, samples.byteLength, true);
  return Promise.resolve(new File([header, samples], "chime.wav", { type: "audio/wav" }));
}

export function makeVideo() {
  return new Promise((done) => {
    const canvas = makeCanvas(320, 240);
    const type = ["video/mp4", "video/webm"].find((one) => MediaRecorder.isTypeSupported(one));
    const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: type });
    const pieces = [];
    const began = performance.now();
    const timer = setInterval(() => draw(canvas.getContext("2d"), (performance.now() - began) / 1500), 50);
    recorder.ondataavailable = (event) => pieces.push(event.data);
    recorder.onstop = () => done(new File(pieces, `sunset.${type.slice(6)}`, { type }));
    recorder.start();
    setTimeout(() => { clearInterval(timer); recorder.stop(); }, 1500);
  });
}
