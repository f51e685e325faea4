using NE.Shell;
using NE.Shell.Host;

return (int)await Shell.Run(args, ShellHost.FromProcess(args));
