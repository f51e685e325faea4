// An exported policy in ONNX Runtime, from C#: dotnet run act.cs POLICY.onnx NUMBER ... , as many numbers as an observation has.
#:package Microsoft.ML.OnnxRuntime@1.31.1
// What the two lines below switch off are habits of this repository; elsewhere they change nothing.
#:property ManagePackageVersionsCentrally=false
#:property RestorePackagesWithLockFile=false
using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

using var session = new InferenceSession(args[0]);
var metadata = session.ModelMetadata.CustomMetadataMap;
Console.WriteLine($"the policy of step {metadata["step"]} for {metadata["task"]}: {metadata["computes"]}");

float[] observation = [.. args.Skip(1).Select(number => float.Parse(number, CultureInfo.InvariantCulture))];
var batch = new DenseTensor<float>(observation, [1, observation.Length]);
using var results = session.Run([NamedOnnxValue.CreateFromTensor("observation", batch)]);
Console.WriteLine(string.Join(' ', results[0].AsEnumerable<float>().Select(number => number.ToString(CultureInfo.InvariantCulture))));
