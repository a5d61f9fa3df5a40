// The Host Compute Service by P/Invoke, for hosts where nothing but PowerShell is left. Written in C# 5, which is what
// Add-Type of Windows PowerShell 5.1 compiles. Sources: computecore.h; hcsshim internal/computecore, internal/vmcompute.
using System;
using System.Reflection;
using System.Runtime.InteropServices;

// Never a library of that name beside a script or in the current folder.
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.System32)]

namespace Transship
{
    /// <summary>What one call gave: the HRESULT, unsigned, and the document that came with it, which may be null.</summary>
    public sealed class HostComputeAnswer
    {
        public HostComputeAnswer(int result, string document)
        {
            Result = unchecked((uint)result);
            Document = document;
        }

        public uint Result { get; private set; }
        public string Document { get; private set; }
    }

    /// <summary>The service, through whichever library the host has. Calls give what Windows says, failures too.</summary>
    public abstract class HostCompute
    {
        public abstract string Library { get; }
        public abstract HostComputeAnswer Enumerate(string query, int timeoutMs);
        public abstract HostComputeAnswer Properties(string id, string query, int timeoutMs);
        public abstract HostComputeAnswer ShutDown(string id, int timeoutMs);
        public abstract HostComputeAnswer Terminate(string id, int timeoutMs);

        /// <summary>The library of Windows Server 2019 and later, else that of 2016; null where there is neither.</summary>
        public static HostCompute Open()
        {
            if (CanCall(typeof(ComputeCore.Native))) return new ComputeCore();
            if (CanCall(typeof(VmCompute.Native))) return new VmCompute();
            return null;
        }

        /// <summary>Whether the library is there and has every function that is declared of it.</summary>
        private static bool CanCall(Type declarations)
        {
            try
            {
                foreach (MethodInfo method in declarations.GetMethods(BindingFlags.Static | BindingFlags.NonPublic))
                    if ((method.Attributes & MethodAttributes.PinvokeImpl) != 0) Marshal.Prelink(method);
                return true;
            }
            catch (DllNotFoundException)
            {
                return false;
            }
            catch (EntryPointNotFoundException)
            {
                return false;
            }
            catch (ArgumentNullException)
            {
                // PowerShell 7 looks for a library that is missing beside the assembly, and one in memory has no folder.
                return false;
            }
        }

        /// <summary>An HRESULT of success, or of work that goes on and is waited for.</summary>
        protected static bool IsDone(int result)
        {
            return result >= 0;
        }
    }

    /// <summary>computecore.dll: every call is given an operation, which is then waited for.</summary>
    internal sealed class ComputeCore : HostCompute
    {
        private const uint GenericAll = 0x10000000;
        private const int OutOfMemory = unchecked((int)0x8007000e);

        private delegate int Begin(IntPtr operation);
        private delegate int BeginOn(IntPtr system, IntPtr operation);

        public override string Library { get { return "computecore.dll"; } }

        public override HostComputeAnswer Enumerate(string query, int timeoutMs)
        {
            return Operate(timeoutMs, operation => Native.HcsEnumerateComputeSystems(query, operation));
        }

        public override HostComputeAnswer Properties(string id, string query, int timeoutMs)
        {
            return Within(id, timeoutMs, (system, operation) => Native.HcsGetComputeSystemProperties(system, operation, query));
        }

        public override HostComputeAnswer ShutDown(string id, int timeoutMs)
        {
            return Within(id, timeoutMs, (system, operation) => Native.HcsShutDownComputeSystem(system, operation, null));
        }

        public override HostComputeAnswer Terminate(string id, int timeoutMs)
        {
            return Within(id, timeoutMs, (system, operation) => Native.HcsTerminateComputeSystem(system, operation, null));
        }

        private static HostComputeAnswer Within(string id, int timeoutMs, BeginOn begin)
        {
            IntPtr system;
            int opened = Native.HcsOpenComputeSystem(id, GenericAll, out system);
            if (!IsDone(opened)) return new HostComputeAnswer(opened, null);
            try
            {
                return Operate(timeoutMs, operation => begin(system, operation));
            }
            finally
            {
                Native.HcsCloseComputeSystem(system);
            }
        }

        private static HostComputeAnswer Operate(int timeoutMs, Begin begin)
        {
            IntPtr operation = Native.HcsCreateOperation(IntPtr.Zero, IntPtr.Zero);
            if (operation == IntPtr.Zero) return new HostComputeAnswer(OutOfMemory, null);
            try
            {
                int begun = begin(operation);
                if (!IsDone(begun)) return new HostComputeAnswer(begun, null);
                IntPtr text;
                int result = Native.HcsWaitForOperationResult(operation, unchecked((uint)timeoutMs), out text);
                if (text == IntPtr.Zero) return new HostComputeAnswer(result, null);
                string document = Marshal.PtrToStringUni(text);
                // LocalFree on Windows.
                Marshal.FreeHGlobal(text);
                return new HostComputeAnswer(result, document);
            }
            finally
            {
                Native.HcsCloseOperation(operation);
            }
        }

        internal static class Native
        {
            private const string Dll = "computecore.dll";

            [DllImport(Dll, ExactSpelling = true)]
            internal static extern IntPtr HcsCreateOperation(IntPtr context, IntPtr callback);

            [DllImport(Dll, ExactSpelling = true)]
            internal static extern int HcsWaitForOperationResult(IntPtr operation, uint timeoutMs, out IntPtr document);

            [DllImport(Dll, ExactSpelling = true)]
            internal static extern void HcsCloseOperation(IntPtr operation);

            [DllImport(Dll, ExactSpelling = true)]
            internal static extern int HcsEnumerateComputeSystems([MarshalAs(UnmanagedType.LPWStr)] string query, IntPtr operation);

            [DllImport(Dll, ExactSpelling = true)]
            internal static extern int HcsOpenComputeSystem([MarshalAs(UnmanagedType.LPWStr)] string id, uint access, out IntPtr system);

            [DllImport(Dll, ExactSpelling = true)]
            internal static extern void HcsCloseComputeSystem(IntPtr system);

            [DllImport(Dll, ExactSpelling = true)]
            internal static extern int HcsGetComputeSystemProperties(IntPtr system, IntPtr operation, [MarshalAs(UnmanagedType.LPWStr)] string query);

            [DllImport(Dll, ExactSpelling = true)]
            internal static extern int HcsShutDownComputeSystem(IntPtr system, IntPtr operation, [MarshalAs(UnmanagedType.LPWStr)] string options);

            [DllImport(Dll, ExactSpelling = true)]
            internal static extern int HcsTerminateComputeSystem(IntPtr system, IntPtr operation, [MarshalAs(UnmanagedType.LPWStr)] string options);
        }
    }

    /// <summary>vmcompute.dll: calls answer at once, those that end a system often with 'pending'.</summary>
    internal sealed class VmCompute : HostCompute
    {
        private delegate HostComputeAnswer Work(IntPtr system);

        public override string Library { get { return "vmcompute.dll"; } }

        public override HostComputeAnswer Enumerate(string query, int timeoutMs)
        {
            IntPtr document, failure;
            int result = Native.HcsEnumerateComputeSystems(query, out document, out failure);
            return Answer(result, document, failure);
        }

        public override HostComputeAnswer Properties(string id, string query, int timeoutMs)
        {
            return Within(id, system =>
            {
                IntPtr document, failure;
                int result = Native.HcsGetComputeSystemProperties(system, query, out document, out failure);
                return Answer(result, document, failure);
            });
        }

        public override HostComputeAnswer ShutDown(string id, int timeoutMs)
        {
            return Within(id, system =>
            {
                IntPtr failure;
                int result = Native.HcsShutdownComputeSystem(system, null, out failure);
                return Answer(result, IntPtr.Zero, failure);
            });
        }

        public override HostComputeAnswer Terminate(string id, int timeoutMs)
        {
            return Within(id, system =>
            {
                IntPtr failure;
                int result = Native.HcsTerminateComputeSystem(system, null, out failure);
                return Answer(result, IntPtr.Zero, failure);
            });
        }

        private static HostComputeAnswer Within(string id, Work work)
        {
            IntPtr system, failure;
            int opened = Native.HcsOpenComputeSystem(id, out system, out failure);
            if (!IsDone(opened)) return Answer(opened, IntPtr.Zero, failure);
            Take(failure);
            try
            {
                return work(system);
            }
            finally
            {
                Native.HcsCloseComputeSystem(system);
            }
        }

        /// <summary>The document that was asked for, or on failure the service's own words about it.</summary>
        private static HostComputeAnswer Answer(int result, IntPtr document, IntPtr failure)
        {
            string text = Take(document);
            string words = Take(failure);
            return new HostComputeAnswer(result, text == null ? words : text);
        }

        private static string Take(IntPtr text)
        {
            if (text == IntPtr.Zero) return null;
            string taken = Marshal.PtrToStringUni(text);
            Marshal.FreeCoTaskMem(text);
            return taken;
        }

        internal static class Native
        {
            private const string Dll = "vmcompute.dll";

            [DllImport(Dll, ExactSpelling = true)]
            internal static extern int HcsEnumerateComputeSystems([MarshalAs(UnmanagedType.LPWStr)] string query, out IntPtr systems, out IntPtr failure);

            [DllImport(Dll, ExactSpelling = true)]
            internal static extern int HcsOpenComputeSystem([MarshalAs(UnmanagedType.LPWStr)] string id, out IntPtr system, out IntPtr failure);

            [DllImport(Dll, ExactSpelling = true)]
            internal static extern int HcsCloseComputeSystem(IntPtr system);

            [DllImport(Dll, ExactSpelling = true)]
            internal static extern int HcsGetComputeSystemProperties(IntPtr system, [MarshalAs(UnmanagedType.LPWStr)] string query, out IntPtr properties, out IntPtr failure);

            [DllImport(Dll, ExactSpelling = true)]
            internal static extern int HcsShutdownComputeSystem(IntPtr system, [MarshalAs(UnmanagedType.LPWStr)] string options, out IntPtr failure);

            [DllImport(Dll, ExactSpelling = true)]
            internal static extern int HcsTerminateComputeSystem(IntPtr system, [MarshalAs(UnmanagedType.LPWStr)] string options, out IntPtr failure);
        }
    }
}
