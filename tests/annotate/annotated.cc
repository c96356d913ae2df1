/* SPDX-License-Identifier: Apache-2.0 */
/* annotated.cc — the same programs in C++. */
#include "annotated.c"
