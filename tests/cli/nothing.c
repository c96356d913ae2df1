/* SPDX-License-Identifier: Apache-2.0 */
/* nothing.c — a program that is only looked at. */
int main(void)
{
	return 0;
}
