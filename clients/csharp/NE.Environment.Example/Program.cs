using NE.EnvironmentClient;
using NE.EnvironmentExample;

// ne train "external:dotnet clients/csharp/NE.Environment.Example/bin/Release/net10.0/linux-x64/NE.Environment.Example.dll"
return EnvironmentServer.Run(new PointMass());
