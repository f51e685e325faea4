/// Exported policies in PyTorch itself.
module NE.Actors.Tests.Exports.TorchFileTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.IO
open Expecto
open NE.Actors.Exports
open NE.Actors.Tests.Exports.Policies
open NE.Actors.Tests.Runs
open NE.Model
open NE.Model.Networks
open NE.Model.Replay

/// Of every policy NAME.pt: builds the networks that the metadata name, loads the file strictly, acts on NAME.observations, and writes NAME.actions.
/// Ends with 3 where there is no PyTorch.
let private program =
    """
import json, sys, zipfile
try:
    import torch
    from torch import nn
except ImportError:
    sys.exit(3)

class CReLU(nn.Module):
    def forward(self, x): return torch.cat([torch.relu(x), torch.relu(-x)], dim=1)

class Normalise(nn.Module):
    def __init__(self, size, clip):
        super().__init__()
        self.clip = clip
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("scale", torch.zeros(size))
    def forward(self, x): return torch.clamp((x - self.mean) * self.scale, -self.clip, self.clip)

def module(state, network, number, kind):
    if kind.startswith("Normalise"): return Normalise(len(state["%s.%d.mean" % (network, number)]), float(kind.split()[-1]))
    shape = lambda: state["%s.%d.weight" % (network, number)].shape
    if kind == "Linear": return nn.Linear(shape()[1], shape()[0])
    if kind == "LayerNorm": return nn.LayerNorm(shape()[0])
    if kind.startswith("Conv2d"): return nn.Conv2d(shape()[1], shape()[0], 3, int(kind.split()[-1]))
    return {"ReLU": nn.ReLU, "CReLU": CReLU, "Flatten": nn.Flatten, "Tanh": nn.Tanh}[kind]()

class Policy(nn.Module):
    def __init__(self, state, networks):
        super().__init__()
        self.networks = networks
        for name, kinds in networks.items():
            layers = [module(state, name, i, kind) for i, kind in enumerate(kinds)] if not name.endswith("log_deviation") else None
            weight = state.get(name + ".weight")
            setattr(self, name, nn.Sequential(*layers) if layers else nn.Linear(weight.shape[1], weight.shape[0]))
        self.action = nn.Module()
        self.action.register_buffer("scale", torch.zeros(len(state["action.scale"])))
        self.action.register_buffer("offset", torch.zeros(len(state["action.offset"])))

    def forward(self, x):
        for name in ["normaliser", "encoder", "trunk"]:
            if name in self.networks: x = getattr(self, name)(x)
        u = self.actor(x)
        if "kept" in self.networks: u = self.kept(x) + (u - self.subtracted(x))
        return self.action.offset + self.action.scale * torch.tanh(u)

for name in sys.argv[1:]:
    state = torch.load(name + ".pt", weights_only=True)
    metadata = json.loads(zipfile.ZipFile(name + ".pt").read("policy/extra/metadata.json"))
    policy = Policy(state, json.loads(metadata["networks"]))
    policy.load_state_dict(state, strict=True)
    size = [int(n) for n in metadata["observation"].split("[")[1][:-1].split(",")]
    data = bytearray(open(name + ".observations", "rb").read())
    x = torch.frombuffer(data, dtype=torch.uint8 if len(size) == 3 else torch.float32).reshape(-1, *size)
    if len(size) == 3: x = x.float() / 255 - 0.5
    with torch.no_grad(): open(name + ".actions", "wb").write(policy(x).numpy().tobytes())
"""

/// Debian's, of which python3-torch is a package.
let private python = "/usr/bin/python3"

/// Name, policy, task, observations as bytes, and the actions.
let private cases = [
    for name, kind, bodies in
        [
            "one", ActionForm.Deterministic, 1
            "distribution", ActionForm.SquashedGaussian, 1
            "three", ActionForm.SquashedGaussian, 3
            "normalised", ActionForm.Deterministic, 1
        ] do
        let form = NetworkForm.Mlp([ 7; 64; 32; 4 ], Activation.Crelu, [ true; false ])
        let plain = ofForm form bodies kind 1.0f
        let policy = if name = "normalised" then normalising plain else plain
        let size = policy.ActionSize
        let task = vectorTask 7 (Array.create size -2.0f) (Array.create size 1.0f)
        let observations = Array.zeroCreate<float32>(500 * 7)
        (draws 11L).FillNormal(Span observations, 1.0f)
        let bytes = observations |> Array.collect BitConverter.GetBytes
        name, policy, task, bytes, actions policy task observations

    let policy, random = ofPixels ActionForm.Deterministic, draws 12L

    let task =
        task (ObservationForm.Pixels pictures) (Array.create 4 -1.0f) (Array.create 4 1.0f)

    let bytes =
        Array.init (20 * pictures.ObservationBytes) (fun _ -> byte (random.NextInt 256L))

    "pictures", policy, task, bytes, actions policy task (packed bytes)
]

let private act (folder: string) =
    let arguments = "act.py" :: [ for name, _, _, _, _ in cases -> name ]

    match Process.Start(ProcessStartInfo(python, arguments, RedirectStandardError = true, WorkingDirectory = folder)) with
    | null -> failtest "python did not start"
    | started ->
        use started = started
        let error = started.StandardError.ReadToEnd()
        started.WaitForExit()
        started.ExitCode, error

[<Tests>]
let tests =
    testList "Exported to PyTorch" [
        test "torch.load with weights_only reads state_dicts that act as the policies do" {
            let missing =
                $"{python} has no torch (apt-get install python3-torch), so the state_dict was NOT tested with PyTorch"

            if not (File.Exists python) then
                skiptest missing

            Training.inFolder (fun folder ->
                let path name = Path.Combine(folder, name)
                File.WriteAllText(path "act.py", program)

                for name, policy, task, observations, _ in cases do
                    PolicyFile.Write(path $"{name}.pt", false, PolicyFormat.Torch, export policy task, "test")
                    File.WriteAllBytes(path $"{name}.observations", observations)

                match act folder with
                | 3, _ -> skiptest missing
                | code, error -> Expect.equal code 0 error

                for name, _, _, _, expected in cases do
                    let found =
                        File.ReadAllBytes(path $"{name}.actions")
                        |> Array.chunkBySize sizeof<float32>
                        |> Array.map BitConverter.ToSingle

                    Expect.equal found.Length expected.Length name

                    let worst =
                        Seq.map2 (fun (x: float32) (y: float32) -> abs (float x - float y)) found expected
                        |> Seq.max

                    Expect.isLessThan worst 2e-6 $"{name}: the same actions")
        }

        test "the same policy is the same file, and a file that is there stays unless it is to be replaced" {
            Training.inFolder (fun folder ->
                let path = Path.Combine(folder, "policy.pt")
                let policy = ofForm (NetworkForm.Plain [ 3; 8; 1 ]) 1 ActionForm.Deterministic 1.0f
                let task = vectorTask 3 [| -1.0f |] [| 1.0f |]

                let bytes () =
                    TorchFile.Bytes(List (export policy task).Tensors, (export policy task).Metadata)

                Expect.equal (bytes ()) (bytes ()) "bytes"
                File.WriteAllText(path, "mine")

                Expect.throwsT<IOException>
                    (fun () -> PolicyFile.Write(path, false, PolicyFormat.Torch, export policy task, "test"))
                    "taken"

                Expect.equal (File.ReadAllText path) "mine" "untouched"
                PolicyFile.Write(path, true, PolicyFormat.Torch, export policy task, "test")
                Expect.equal (File.ReadAllBytes path) (bytes ()) "replaced"
                Expect.equal (Directory.GetFiles folder) [| path |] "nothing left beside it")
        }
    ]
