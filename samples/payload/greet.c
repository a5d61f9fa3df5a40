/* The Windows program of the samples. Built by samples/make-payload.sh. */
#include <windows.h>

void start(void)
{
    static const char text[] = "Hello from Contoso Shop.\r\n";
    DWORD written;
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text, sizeof text - 1, &written, NULL);
    ExitProcess(0);
}
