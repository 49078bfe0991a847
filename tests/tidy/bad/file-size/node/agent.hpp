#pragma once
// repeat 699
int declared();
