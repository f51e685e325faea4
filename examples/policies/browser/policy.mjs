// An exported policy of numbers in plain JavaScript, for browsers and Node: `new Policy(buffer).act(observation)`, where the buffer is a safetensors
// file.
export class Policy {
  constructor(buffer) {
    const start = 8 + Number(new DataView(buffer).getBigUint64(0, true));
    const { __metadata__, ...tensors } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, start - 8)));
    this.metadata = __metadata__;
    this.networks = JSON.parse(__metadata__.networks);
    const values = ([from, to]) => new Float32Array(buffer.slice(start + from, start + to));
    this.tensors = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, values(tensor.data_offsets)]));
  }

  layer(kind, tensor, x) {
    if (kind.startsWith("Normalise")) {
      const [mean, scale, clip] = [tensor("mean"), tensor("scale"), Number(kind.split(" ").at(-1))];
      return x.map((value, i) => Math.min(Math.max((value - mean[i]) * scale[i], -clip), clip));
    }
    const [weight, bias] = [tensor("weight"), tensor("bias")];
    if (kind === "Linear") return bias.map((b, row) => x.reduce((sum, value, i) => sum + weight[row * x.length + i] * value, b));
    if (kind === "LayerNorm") {
      const mean = x.reduce((a, b) => a + b) / x.length;
      const deviation = Math.sqrt(x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length + 1e-5);
      return x.map((value, i) => ((value - mean) / deviation) * weight[i] + bias[i]);
    }
    return Float32Array.from(kind === "CReLU" ? [...x, ...x.map((value) => -value)] : x, (value) => Math.max(value, 0));
  }

  body(name, x) {
    return this.networks[name].reduce((x, kind, number) => this.layer(kind, (what) => this.tensors[`${name}.${number}.${what}`], x), x);
  }

  act(observation) {
    const numbers = Float32Array.from(observation);
    const x = "normaliser" in this.networks ? this.body("normaliser", numbers) : numbers;
    const [actor, kept, subtracted] = ["actor", "kept", "subtracted"].map((name) => name in this.networks && this.body(name, x));
    const u = kept ? kept.map((value, i) => value + (actor[i] - subtracted[i])) : actor;
    return u.map((value, i) => this.tensors["action.offset"][i] + this.tensors["action.scale"][i] * Math.tanh(value));
  }
}
