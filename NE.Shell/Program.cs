using NE.Shell;
using NE.Shell.Host;

// Faults that `ne torture` provokes; nothing else sets the variable.
if (Environment.GetEnvironmentVariable(NE.Actors.Storage.Faults.Variable) is { Length: > 0 } plan)
{
    NE.Actors.Storage.Faults.Arm(plan);
}

return (int)await Shell.Run(args, ShellHost.FromProcess(args));
